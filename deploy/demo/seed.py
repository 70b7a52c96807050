"""Fills two fresh cooperatives as their people would: through invitations, mails, imports and the link's own steps."""

import re
from dataclasses import dataclass, field
from typing import Any

from deploy.demo import places
from deploy.demo.api import Json, Member, Refused, Visitor, wait_for
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import Cooperative, Person
from deploy.demo.terminal import step

_LINK = re.compile(r"https?://\S+/account/join/([\w.~-]+)")

WORKING_HOURS: list[Json] = [{"weekday": day, "opens": "09:00", "closes": "18:00"} for day in range(5)]
RULES: Json = {
    "opening_hours": WORKING_HOURS,
    "step_minutes": 30,
    "minimum_minutes": 60,
    "maximum_minutes": 480,
    "lead_minutes": 60,
    "horizon_days": 90,
    "buffer_before_minutes": 0,
    "buffer_after_minutes": 30,
    "approval": "owner",
}
LASER: Json = {
    "side": "offer",
    "kind": "machine",
    "title": "Découpeuse laser CO2 100 W, plateau 120 x 90 cm",
    "text": "Découpe et gravure de contreplaqué, carton, cuir et plexiglas. Prise en main d'une demi-heure au début.",
    "category": "Fabrication numérique",
    "language": "fr",
    "place": {"label": "Rue des Carmes 22, Namur", "latitude": 50.4655, "longitude": 4.8662},
    "quantity": 1,
    "unit": "machine",
    "audience": {"scope": "peers"},
    "urgency": "normal",
}
ROOM: Json = LASER | {
    "kind": "space",
    "title": "Atelier partagé avec établis, six personnes",
    "text": "Trois établis, outillage à main, aspiration. Idéal pour monter un stand ou réparer du mobilier.",
    "category": "Atelier",
    "place": {"label": "16 allée de la Filature, Lille", "latitude": 50.6147, "longitude": 3.0483},
    "unit": "atelier",
}


@dataclass(kw_only=True)
class Town:
    """A running cooperative with its signed-in people, by key."""

    cooperative: Cooperative
    url: str
    password: str
    members: dict[str, Member] = field(default_factory=dict[str, Member])

    def sign_in(self, person: Person) -> Member:
        """Sign `person` in and remember them."""
        member = Member(self.url, email=person.email, password=self.password).sign_in()
        self.members[person.key] = member
        return member

    @property
    def coordinator(self) -> Member:
        return self.members[self.cooperative.administrator.key]


def welcome(town: Town, mailbox: Mailbox) -> None:
    """Invite everybody but the administrator; each follows the link in the mail. Signs all of them in."""
    with step(f"{town.cooperative.name}: {len(town.cooperative.people)} members join by the mails they got") as shown:
        admin = town.sign_in(town.cooperative.administrator)
        for person in town.cooperative.people[1:]:
            body = {"email": person.email, "name": person.name, "role": person.role}
            admin.post("identity/invitations", body)
        for person in town.cooperative.people[1:]:
            message = wait_for(f"the invitation of {person.name}", lambda who=person: mailbox.newest(who.email, _LINK))
            visitor = Visitor(town.url, admin.http)
            accepted = {"name": person.name, "password": town.password, "locale": person.locale}
            visitor.post("identity/invitations/accept", accepted | {"token": message})
            town.sign_in(person)
        shown.note(", ".join(person.name for person in town.cooperative.people))


def link(one: Town, other: Town) -> None:
    """A coordinator of `one` invites, a coordinator of `other` enters the code, the first confirms the thumbprint."""
    with step(f"{one.cooperative.name} and {other.cooperative.name} link by invitation") as shown:
        invitation = one.coordinator.post("federation/invitations")
        other.coordinator.post("federation/links", {"code": invitation["code"]})
        asked = wait_for("the request to link", lambda: link_in(one, "to_confirm"))
        one.coordinator.post(f"federation/links/{asked['link_id']}/confirm")
        for town in (one, other):
            wait_for(f"the open link of {town.cooperative.name}", lambda there=town: link_in(there, "active"))
        shown.note(f"thumbprint read out over the telephone: {asked['peer_id'][:16]}…")


def link_in(town: Town, status: str) -> Json | None:
    """A link of the town in that state; None when there is none."""
    links = town.coordinator.get("federation/links")
    rows: list[Json] = links["items"] if isinstance(links, dict) else links
    return next((row for row in rows if row["status"] == status), None)


def import_csv(town: Town, name: str, content: bytes) -> None:
    """Check a file, then import it and wait until it is done. Raises RuntimeError when a line is bad."""
    with step(f"{town.cooperative.name}: import {name}") as shown:
        admin = town.coordinator
        report: Json = admin.call("POST", "catalog/imports/check", files={"file": (name, content, "text/csv")})
        if report["errors"]:
            raise RuntimeError(f"{name}: {report['errors'][:3]}")
        admin.post(f"catalog/imports/{report['import_id']}/run")

        def done() -> Any:
            progress = admin.get(f"catalog/imports/{report['import_id']}")
            return progress if progress["status"] in {"done", "failed"} else None

        progress = wait_for("the end of the import", done, 120)
        shown.note(
            f"{progress['created']} created, {progress['updated']} updated, "
            f"{report['encoding']}, «{report['separator']}»"
        )


def share(town: Town, owner: str, listing: Json) -> Json:
    """Publish `listing` by the member `owner` and make it bookable."""
    with step(f"{town.members[owner].name} offers «{listing['title']}»"):
        offer: Json = town.members[owner].post("catalog/listings", listing)
        rules = RULES | {"time_zone": town.cooperative.time_zone}
        wait_for("the offer in booking", lambda: _set_rules(town.members[owner], offer["id"], rules))
        return offer


def _set_rules(owner: Member, offer_id: str, rules: Json) -> Json | None:
    try:
        return owner.call("PUT", f"booking/resources/{offer_id}", json=rules)
    except Refused as refused:
        if refused.status == 404:  # noqa: PLR2004 - booking has not heard of the offer yet
            return None
        raise


def fill(lille: Town, namur: Town, mailbox: Mailbox) -> None:
    """Everything that a first start sets up, in the order in which people would do it."""
    welcome(lille, mailbox)
    welcome(namur, mailbox)
    link(lille, namur)
    import_csv(lille, "tiers-lieux-hauts-de-france.csv", places.as_import())
    for town in (lille, namur):
        import_csv(town, town.cooperative.catalogue, (places.DATA / town.cooperative.catalogue).read_bytes())
    share(namur, "paul", LASER)
    share(lille, "karim", ROOM)

"""One running cooperative in which Ana, Bea and Claire have things of every sort, that are none of Eve's.

What is hidden (a circle's offers, bookings, notes, names of searches) carries a mark:
whoever sees it has seen too much.
"""

import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.demo.api import Json, Member, Refused, Visitor, wait_for
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPTEOS
from deploy.demo.seed import LASER, RULES
from deploy.local.instance import LocalInstance
from deploy.local.mail_sink import MailSink
from services import provision_database
from services.chassis import names
from tests.faults.sql import Sql
from tests.instances import cooperatives
from tests.journeys.conftest import PASSWORD, found
from tests.servers import Servers

MARK = f"qx{uuid4().hex[:10]}"
_JOIN = re.compile(r"https?://\S+/account/join/([\w.~-]+)")
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
_NOT_CONTENT = {
    "paces", "inbox", "outbox", "border_outbox", "alembic_version", "busy_to_tell", "signed_in", "tried", "deliveries",
    "lexemes", "meanings", "things", "alerted",
}  # fmt: skip
"""What loops fill and empty by themselves, or what counts requests."""


@dataclass
class Village:
    """`members` by name; `hidden` and `shown`: ids of others' things by the name of a path's gap."""

    instance: LocalInstance
    servers: Servers
    members: dict[str, Member]
    hidden: dict[str, str] = field(default_factory=dict[str, str])
    shown: dict[str, str] = field(default_factory=dict[str, str])
    databases: dict[str, Sql] = field(default_factory=dict[str, Sql])
    documents: dict[str, Json] = field(default_factory=dict[str, Json])

    @property
    def url(self) -> str:
        return self.instance.url

    def openapi(self, service: str) -> Json:
        if service not in self.documents:
            self.documents[service] = self.members["claire"].get(f"{service}/openapi.json")
        return self.documents[service]

    def content(self, service: str) -> dict[str, str]:
        """A digest of every table of `service` that holds content."""
        sql = self._sql(service)
        tables = [
            row["relname"]
            for row in sql.rows(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            )
            if row["relname"] not in _NOT_CONTENT
        ]
        query = "SELECT coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {} t"
        return {table: str(sql.value(query.format(table))) for table in tables}

    def has_left(self, member_id: str) -> bool:
        """Whether every service that would let this member write has heard that they left."""
        heard_by = [
            self._sql(service).value(query, UUID(member_id))
            for service, query in (
                ("catalog", "SELECT status = 'left' FROM members WHERE id = $1"),
                ("booking", "SELECT status = 'left' FROM members WHERE id = $1"),
                ("notify", "SELECT status = 'left' FROM members WHERE id = $1"),
                ("matching", "SELECT count(*) = 1 FROM left_members WHERE member_id = $1"),
            )
        ]
        return all(heard_by)

    def settle(self) -> None:
        """Wait until nothing is said any more."""
        for _ in range(2):
            for service in names.SERVICES:
                wait_for(
                    "quiet", lambda of=service: self._sql(of).value("SELECT count(*) FROM outbox") == 0, seconds=120
                )
            time.sleep(0.5)

    def _sql(self, service: str) -> Sql:
        if service not in self.databases:
            url = self.instance.addresses.admin_database_url
            self.databases[service] = Sql(
                provision_database.in_database(url, names.database(self.instance.name, service))
            )
        return self.databases[service]

    def close(self) -> None:
        for sql in self.databases.values():
            sql.close()
        for member in self.members.values():
            member.http.close()


@contextmanager
def village(servers: Servers, folder: Path) -> Generator[Village]:
    """The village, running while the block runs."""
    sink = MailSink(folder / "mail")
    sink.start()
    try:
        with cooperatives(servers, folder) as make:
            instance, town = found(OPTEOS, make, sink, lambda _: None)
            claire = town.sign_in(OPTEOS.administrator)
            mailbox = Mailbox(f"http://127.0.0.1:{sink.http_port}")
            members = {"claire": claire} | {name: _join(claire, mailbox, name) for name in ("ana", "bea", "eve", "leo")}
            built = Village(instance, servers, members)
            try:
                _settle_in(built)
                built.settle()
                yield built
            finally:
                built.close()
                mailbox.http.close()
    finally:
        sink.stop()


def _join(claire: Member, mailbox: Mailbox, name: str) -> Member:
    email = f"{name}@village.example"
    claire.post("identity/invitations", {"email": email, "name": name.capitalize(), "role": "member"})
    token = wait_for("the invitation", lambda: mailbox.newest(email, _JOIN))
    accepted = {"name": name.capitalize(), "password": PASSWORD, "locale": "fr", "token": token}
    Visitor(claire.url, claire.http).post("identity/invitations/accept", accepted)
    return Member(claire.url, email=email, password=PASSWORD).sign_in()


def heard(call: Callable[[], Any]) -> Any:
    """What `call` answers, once the service has heard of what it is about."""

    def probe() -> list[Any] | None:
        try:
            return [call()]
        except Refused as refused:
            if refused.status not in {403, 404, 409, 422}:
                raise
            return None

    return wait_for("that it is heard of", probe)[0]


def _settle_in(village: Village) -> None:
    ana, bea = village.members["ana"], village.members["bea"]
    circle = ana.post("identity/circles", {"name": "Cercle des tours"})["id"]
    ana.call("PUT", f"identity/circles/{circle}/members/{bea.id}")
    closed = {"scope": "circle", "circle_ids": [circle]}
    village.shown |= {"": str(uuid4()), "circle_id": circle, "member_id": ana.id, "letter_id": str(uuid4())}
    village.hidden |= village.shown
    for where, audience in ((village.hidden, closed), (village.shown, {"scope": "cooperative"})):
        word = MARK if where is village.hidden else "ouvert"
        offer = LASER | {"title": f"Tour {word}", "text": word, "audience": audience}
        need = {"side": "need", "kind": "machine", "title": f"Fraiser {word}", "text": word, "audience": audience}
        where["offer_id"] = heard(lambda form=offer: ana.post("catalog/listings", form))["id"]
        where["theirs"] = heard(lambda form=offer: bea.post("catalog/listings", form))["id"]
        where["need_id"] = heard(lambda form=need: ana.post("catalog/listings", form))["id"]
        where |= {"listing_id": where["offer_id"], "thing_id": where["offer_id"]}
        _book(village, where, ana, bea)
    _talk(village, ana, bea, circle)
    _administer(village)


def _book(village: Village, where: dict[str, str], ana: Member, bea: Member) -> None:
    """Ana's offer asks her, Bea's needs no yes; each has asked for the other's."""
    rules = RULES | {
        "time_zone": "Europe/Paris",
        "opening_hours": [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)],
    }
    heard(lambda: ana.call("PUT", f"booking/resources/{where['offer_id']}", json=rules))
    heard(lambda: bea.call("PUT", f"booking/resources/{where['theirs']}", json=rules | {"approval": "automatic"}))
    day = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=5)

    def period(days: int) -> Json:
        start = day + timedelta(days=days)
        return {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat(), "note": MARK}

    asked = {"offer_id": where["offer_id"]} | period(0)
    where["booking_id"] = heard(lambda: bea.post("booking/bookings", asked))["id"]
    series = {"offer_id": where["offer_id"], "rrule": "FREQ=WEEKLY;COUNT=3"} | period(1)
    where["series_id"] = bea.post("booking/bookings/series", series)["id"]
    taken = {"offer_id": where["theirs"]} | period(2)
    ana.post("booking/bookings", taken)
    where["waiting_id"] = village.members["claire"].post("booking/waiting", taken)["id"]
    where["hold_id"] = ana.post("booking/holds", {"offer_id": where["theirs"]} | _without_note(period(3)))["id"]


def _without_note(period: Json) -> Json:
    return {name: period[name] for name in ("start", "end")}


def _talk(village: Village, ana: Member, bea: Member, circle: str) -> None:
    """A session of the circle, a feed, a search that is kept, somebody asked to be put in touch, messages."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=9)
    session = {
        "title": f"Atelier {MARK}", "start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat(),
        "time_zone": "Europe/Paris", "roles": [{"code": "guest", "label": "Participant·e", "maximum": 5}],
        "audience": "circles", "audience_circle_ids": [circle], "private": True,
    }  # fmt: skip
    where = village.hidden
    where["session_id"] = heard(lambda: ana.post("booking/sessions", session))["id"]
    bea.post(f"booking/sessions/{where['session_id']}/sign-up", {"role": "guest"})
    where["feed_id"] = ana.post("booking/my/feeds", {"kind": "member"})["id"]
    where["search_id"] = ana.post("matching/saved-searches", {"name": f"Tours {MARK}", "words": MARK})["id"]
    question = {"thing_id": where["theirs"], "message": MARK}
    where["introduction_id"] = heard(lambda: ana.post("matching/introductions", question))["id"]
    mine = wait_for("a message", lambda: ana.get("notify/inbox")["items"])
    where["notification_id"] = mine[0]["id"]


def _administer(village: Village) -> None:
    claire, ana, where = village.members["claire"], village.members["ana"], village.hidden
    where["invitation_id"] = claire.post("identity/invitations", {"email": f"{MARK}@village.example"})["id"]
    token = {"name": MARK, "scopes": ["booking:read"], "password": PASSWORD}
    where["token_id"] = ana.post("identity/me/tokens", token)["id"]
    sheet = f"ref;type;genre;titre\r\nr1;offre;machine;Tour {MARK}\r\n".encode()
    report: Json = claire.call("POST", "catalog/imports/check", files={"file": ("x.csv", sheet, "text/csv")})
    where["import_id"] = report["import_id"]
    village.shown = where | village.shown

"""Three cooperatives that only a hub connects, as real processes: found, booked, while one of them is away."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.demo import seed
from deploy.demo.api import Json, Refused, wait_for
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPENFLOW, OPTEOS, Person
from deploy.demo.seed import LASER, Town
from deploy.local.instance import LocalInstance
from deploy.local.mail_sink import MailSink
from services.chassis import names
from services.chassis.management import Management
from tests.instances import MakeCooperative, cooperatives
from tests.journeys.conftest import found
from tests.journeys.test_main_job import copy_of, first_free, state
from tests.servers import Servers
from tests.services.federation.hub_secrets import everything_in

pytestmark = [pytest.mark.xdist_group("journey-hub"), pytest.mark.timeout(1500)]

HUGO = Person(key="hugo", name="Hugo Peeters", email="hugo@ensemble.example", role="administrator")
GRIET = Person(key="griet", name="Griet Claes", email="griet@cabestan.example", role="administrator")
HUB = replace(OPTEOS, slug="hub", name="Ensemble", summary="La fédération. Données d'exemple.", people=(HUGO,))
CABESTAN = replace(OPENFLOW, slug="cabestan", name="Cabestan", town="Gent", people=(GRIET,))
LILLE = replace(OPTEOS, people=tuple(one for one in OPTEOS.people if one.key in {"claire", "karim"}))
NAMUR = replace(OPENFLOW, people=tuple(one for one in OPENFLOW.people if one.key in {"benoit", "paul"}))


@dataclass
class Around:
    """The hub and its members, by the slug of each."""

    mailbox: Mailbox
    towns: dict[str, Town] = field(default_factory=dict[str, Town])
    instances: dict[str, LocalInstance] = field(default_factory=dict[str, LocalInstance])

    def begin(self, make: MakeCooperative, sink: MailSink) -> None:
        """Everybody is linked with the hub; Lille through it with Namur and with Gent."""

        def make_one(name: str, **settings: str) -> LocalInstance:
            return make(name, **settings, MAILLAGE_FEDERATION_HUB="true" if name == HUB.slug else "false")

        for one in (HUB, LILLE, NAMUR, CABESTAN):
            self.instances[one.slug], self.towns[one.slug] = found(one, make_one, sink, lambda _: None)
        for town in self.towns.values():
            seed.welcome(town, self.mailbox)
            if town.cooperative is not HUB:
                seed.link(self.towns[HUB.slug], town)
        for other in (NAMUR, CABESTAN):
            self._link(self.towns[LILLE.slug], self.towns[other.slug])

    def _link(self, one: Town, other: Town) -> None:
        for here, there in ((one, other), (other, one)):
            entry = wait_for("what the hub tells of it", lambda here=here, there=there: _entry(here, there))
            here.coordinator.post(f"federation/members/{entry['hub_link_id']}/{entry['member']}/accept")
        for here, there in ((one, other), (other, one)):
            wait_for("the link through the hub", lambda here=here, there=there: _is_linked(here, there))

    def close(self) -> None:
        self.mailbox.http.close()
        for town in self.towns.values():
            for member in town.members.values():
                member.http.close()


def _entry(town: Town, other: Town) -> Json | None:
    members: list[Json] = town.coordinator.get("federation/members")
    return next((one for one in members if one["name"] == other.cooperative.name), None)


def _is_linked(town: Town, other: Town) -> bool:
    links: list[Json] = town.coordinator.get("federation/links")
    wanted = (other.cooperative.name, "active", "behind")
    return any((one["peer_name"], one["status"], one["kind"]) == wanted for one in links)


@pytest.fixture(scope="module")
def around(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    folder: Path = tmp_path_factory.mktemp("hub")
    sink = MailSink(folder / "mail")
    sink.start()
    try:
        with cooperatives(servers, folder) as make:
            made = Around(Mailbox(f"http://127.0.0.1:{sink.http_port}"))
            made.begin(make, sink)
            yield made
            made.close()
    finally:
        sink.stop()


def test_found_and_booked_through_the_hub_while_one_is_away(around: Around) -> None:
    hub, lille, namur, gent = around.towns.values()
    hub_at_gent = _goes_away(around, gent)
    secret = uuid4().hex[:8]
    shown, among = f"Presse ouverte à tous {uuid4().hex[:8]}", f"Presse {secret} entre nous"
    seed.share(lille, "karim", LASER | {"title": shown, "audience": {"scope": "public"}})
    seed.share(lille, "karim", LASER | {"title": among})

    wait_for(f"{shown} in Namur", lambda: copy_of(namur, "paul", shown))
    offer = wait_for(f"{among} in Namur", lambda: copy_of(namur, "paul", among))
    page = wait_for("the hub's public catalogue", lambda: _catalogue(hub, shown))
    assert among not in page
    with pytest.raises(Refused) as refused:
        hub.coordinator.post("catalog/listings", LASER)
    assert refused.value.status == 403

    _book_and_meet(around, offer, note=f"Pour un livre {secret}")
    _the_hub_cannot_read(around, secret=secret, public=shown)

    around.instances[CABESTAN.slug].start()
    around.instances[CABESTAN.slug].wait_ready()
    gent.coordinator.post(f"federation/links/{hub_at_gent}/resume")
    for title in (shown, among):
        wait_for(f"{title} in Gent", lambda title=title: copy_of(gent, "griet", title))
    for town in around.towns.values():
        assert [one["refused"] for one in town.coordinator.get("federation/links") if one["refused"]] == []


def _goes_away(around: Around, town: Town) -> str:
    """Nobody runs there, and nothing is fetched from the hub: all share one broker here, which goes on otherwise."""
    (link,) = [one for one in town.coordinator.get("federation/links") if one["kind"] == "hub"]
    town.coordinator.post(f"federation/links/{link['link_id']}/pause")
    instance = around.instances[town.cooperative.slug]
    wait_for("the end of its shovel", lambda: asyncio.run(_fetches_nothing(instance)))
    instance.stop()
    return str(link["link_id"])


async def _fetches_nothing(instance: LocalInstance) -> bool:
    async with Management(instance.addresses.admin_broker_url) as management:
        return not await management.call("GET", "parameters", "shovel", names.border_vhost(instance.name))


def _book_and_meet(around: Around, offer: Json, *, note: str) -> None:
    """Paul of Namur asks, Karim of Lille says yes, and both know whom they will meet."""
    lille, namur = around.towns[LILLE.slug], around.towns[NAMUR.slug]
    paul, karim = namur.members["paul"], lille.members["karim"]
    body = {"offer_id": offer["id"], "origin": offer["origin"], "quantity": 1, "note": note}
    booking: Json = paul.post("booking/bookings", body | first_free(namur, "paul", offer))
    asked = wait_for("the request", lambda: _to_decide(lille, offer["title"]))
    assert asked["note"] == note
    assert paul.name not in str(asked)
    karim.post(f"booking/bookings/{asked['id']}/approve")
    wait_for("the yes", lambda: state(namur, "paul", booking["id"], "confirmed"))
    wait_for("Karim's name", lambda: karim.name in str(paul.get(f"booking/bookings/{booking['id']}")))
    wait_for("Paul's name", lambda: paul.name in str(karim.get(f"booking/bookings/{asked['id']}")))
    for who, other in ((karim, paul), (paul, karim)):
        wait_for("the mail with the other's name", lambda who=who, other=other: _mail(around, who.email, other.name))


def _the_hub_cannot_read(around: Around, *, secret: str, public: str) -> None:
    """While something for Gent alone lies in it."""
    hub, gent = around.towns[HUB.slug], around.towns[CABESTAN.slug]

    def waits() -> bool:
        links: list[Json] = hub.coordinator.get("federation/links")
        return any(one["peer_name"] == gent.cooperative.name and (one["waiting"] or 0) > 1 for one in links)

    wait_for("something that waits for Gent", waits)
    instance = around.instances[HUB.slug]
    servers = instance.addresses
    stored = asyncio.run(
        everything_in(instance.name, database_url=servers.admin_database_url, broker_url=servers.admin_broker_url)
    )
    assert public in stored
    for hidden in (secret, "Paul Dumont", "Karim Benali", "paul@", "karim@"):
        assert hidden not in stored


def _catalogue(hub: Town, title: str) -> str | None:
    page = httpx.get(f"{hub.url}/catalogue", timeout=30).text
    return page if title in page else None


def _to_decide(town: Town, title: str) -> Json | None:
    rows: list[Json] = town.members["karim"].get("booking/bookings", role="to_decide")["items"]
    return next((one for one in rows if one["offer_title"] == title), None)


def _mail(around: Around, address: str, name: str) -> bool:
    return around.mailbox.subject(address, name) is not None

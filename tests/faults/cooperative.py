"""A cooperative as one real process under trial, seen from outside: its API, its databases, its dead letters."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from contracts.identity import Role
from deploy.demo.api import Json, Visitor, wait_for
from deploy.local.folders import CHECKOUT, Account
from deploy.local.instance import LocalInstance
from deploy.local.processes import Daemon, ServerFailed
from services import provision_database
from services.chassis import names
from services.chassis.ids import new_id
from tests.faults.sql import Row, Sql
from tests.instances import Instance
from tests.servers import Servers

READY_SECONDS = 120.0
LASER: Json = {
    "side": "offer",
    "kind": "machine",
    "title": "Découpeuse laser",
    "text": "Découpe et gravure de contreplaqué.",
    "category": "Atelier",
    "language": "fr",
    "place": {"label": "Rue des Carmes 22, Namur", "latitude": 50.4655, "longitude": 4.8662},
    "quantity": 1,
    "unit": "machine",
    "audience": {"scope": "peers"},
    "urgency": "normal",
}
ALWAYS_OPEN: Json = {
    "time_zone": "Europe/Brussels",
    "opening_hours": [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)],
    "step_minutes": 15,
    "minimum_minutes": 15,
    "maximum_minutes": 480,
    "lead_minutes": 0,
    "horizon_days": 300,
    "buffer_before_minutes": 0,
    "buffer_after_minutes": 0,
    "approval": "automatic",
}

COME_AGAIN = [
    *["booking-to-decide", "booking-moved", "booking-moved-owner", "booking-change-to-answer"],
    *["booking-stays", "booking-stays-owner", "booking-cancellation-asked"],
]
"""Templates of messages that one booking may bring to one member more than once."""


@dataclass
class Person(Visitor):
    """A member with a token as identity would give it."""

    id: UUID = field(default_factory=new_id)
    token: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        return super().headers() | {"Authorization": f"Bearer {self.token}"}

    def publish(self, title: str, *, key: str | None = None, **changes: Any) -> Json:
        listing: Json = self.post("catalog/listings", LASER | {"title": title} | changes, key=key or str(uuid4()))
        return listing


@dataclass
class Coop:
    """`services` of `local` in one process; the portal is left out where nothing is about pages."""

    local: LocalInstance
    servers: Servers
    services: Sequence[str] = names.SERVICES
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    _daemons: dict[str, Daemon] = field(default_factory=dict[str, Daemon])
    _opened: dict[str, Sql] = field(default_factory=dict[str, Sql])

    @property
    def name(self) -> str:
        return self.local.name

    def start(self, *, agent: bool = False) -> None:
        self._start("services", *self.services)
        if agent:
            self._start("broker-agent", "broker-agent")

    def _start(self, name: str, *arguments: str) -> None:
        self._daemons[name] = Daemon(
            command=[sys.executable, "-m", "services", *arguments],
            account=Account(os.geteuid(), os.getegid()),
            folder=self.local.folder,
            name=name,
            environment=self.local.environment(),
        )
        self._daemons[name].start()

    def kill(self) -> None:
        """SIGKILL all its processes."""
        for daemon in self._daemons.values():
            daemon.kill()

    def tell_to_end(self) -> None:
        """SIGTERM to the process of its services."""
        self._daemons["services"].tell_to_end()

    def wait_for_end(self, seconds: float) -> int | None:
        """The code with which that process ends by itself; None when it has not within `seconds`."""
        return self._daemons["services"].wait(seconds)

    def kill_agent(self) -> None:
        """SIGKILL its broker-agent alone."""
        self._daemons["broker-agent"].kill()

    def start_agent(self) -> None:
        self._start("broker-agent", "broker-agent")

    def restart(self) -> None:
        """Start again what was killed, and wait until it is ready."""
        self.start(agent="broker-agent" in self._daemons)
        self.wait_ready()

    def wrong(self) -> dict[str, Json]:
        """What each service that is not ready says is wrong. Raises httpx.HTTPError when nobody answers."""
        answers = {service: self.http.get(self.local.ready_url(service)) for service in names.SERVICES}
        return {service: answer.json()["wrong"] for service, answer in answers.items() if answer.status_code != 200}

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        wrong: object = "it does not listen"
        while time.monotonic() < deadline and self.pid is not None:
            try:
                wrong = self.wrong()
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if not wrong:
                return
            time.sleep(0.1)
        raise ServerFailed(f"{self.name}: {wrong}\n{self.log()[-3000:]}")

    @property
    def pid(self) -> int | None:
        return self._daemons["services"].pid

    @property
    def pids(self) -> list[int]:
        return [daemon.pid for daemon in self._daemons.values() if daemon.pid is not None]

    def log(self) -> str:
        return self._daemons["services"].log.read_text(encoding="utf-8", errors="replace")

    def person(self, *, role: Role = "member", name: str = "Ana", member_id: UUID | None = None) -> Person:
        """Tokens are good for five minutes."""
        member_id = member_id or new_id()
        instance = Instance(name=self.name, secrets_dir=self.local.secrets_dir, servers=self.servers)
        token = instance.token(role=role, member_id=member_id, name=name)
        return Person(self.local.url, self.http, id=member_id, token=token)

    def sql(self, service: str) -> Sql:
        """Its database, as the server's administrator."""
        if service not in self._opened:
            url = self.local.addresses.admin_database_url
            self._opened[service] = Sql(provision_database.in_database(url, names.database(self.name, service)))
        return self._opened[service]

    def rows(self, service: str, query: str, *values: Any) -> list[Row]:
        return self.sql(service).rows(query, *values)

    def value(self, service: str, query: str, *values: Any) -> Any:
        return self.sql(service).value(query, *values)

    def unseen(self, titles: Iterable[str]) -> list[str]:
        """Those of `titles` (of listings) that its search does not show yet."""
        shown = {row["title"] for row in self.rows("matching", "SELECT title FROM things WHERE NOT gone")}
        return sorted(set(titles) - shown)

    def doubled(self) -> int:
        """Listings and messages to people that are there more than once; no title may be used twice by a test."""
        twice = "SELECT count(*) FROM (SELECT 1 FROM listings GROUP BY title HAVING count(*) > 1) AS twice"
        return int(self.value("catalog", twice)) + len(self.told_twice())

    def told_twice(self) -> list[Row]:
        """Messages about bookings that a member has more than once, but for what a change of period brings again."""
        return self.rows("notify", _TOLD_TWICE, COME_AGAIN)

    def queues(self) -> dict[str, int]:
        """Messages in every queue of both its vhosts, as the broker counts them (a few seconds old)."""
        return {queue["name"]: queue.get("messages", 0) for queue in self._management("queues")}

    def _management(self, what: str) -> list[Json]:
        found: list[Json] = []
        for vhost in (names.vhost(self.name), names.border_vhost(self.name)):
            answer = self.http.get(f"{self.local.addresses.admin_broker_url}/api/{what}/{vhost}").raise_for_status()
            found += answer.json()
        return found

    def handled(self, service: str, outcome: str) -> float:
        """How many events the running process has ended with `outcome` ("done", "duplicate", "dead", …)."""
        text = self.http.get(f"{self.local.url}/api/{service}/metrics").raise_for_status().text
        wanted = (f'service="{service}"', f'outcome="{outcome}"', "maillage_events_handled_total{")
        return sum(float(line.split()[-1]) for line in text.splitlines() if all(part in line for part in wanted))

    def command(self, *arguments: str, typed: str = "") -> str:
        """What `python -m services <arguments>` prints."""
        done = subprocess.run(
            [sys.executable, "-m", "services", *arguments],
            env=self.local.environment(),
            cwd=CHECKOUT,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def introduce(self) -> None:
        """Give it a name and a first administrator, which a link asks for."""
        who = (
            "--email",
            "claire@maillage.example",
            "--name",
            "Claire",
            "--cooperative",
            self.name,
            "--summary",
            "Essai",
        )
        where = ("--place", "Lille", "--latitude", "50.6", "--longitude", "3.1", "--locale", "fr")
        self.command("administrator", *who, *where, "--password-file", "-", typed="sample-password-for-tests")
        wait_for("its profile in federation", lambda: self.value("federation", "SELECT count(*) FROM profile"))

    def bookable(self, owner: Person, title: str, **changes: Any) -> Json:
        """An offer that can be booked at any time of day, confirmed at once."""
        offer = owner.publish(title)
        wait_for("the offer in booking", lambda: self.value("booking", _OFFER_IS_THERE, UUID(offer["id"])))
        owner.call("PUT", f"booking/resources/{offer['id']}", json=ALWAYS_OPEN | changes)
        return offer

    def reconnect(self) -> None:
        """Forget the test's own connections, after the death of the database."""
        while self._opened:
            self._opened.popitem()[1].close()

    def close(self) -> None:
        for daemon in reversed(self._daemons.values()):
            daemon.stop()
        self.reconnect()
        self.http.close()


def link(one: Coop, other: Coop) -> None:
    """Link two running cooperatives by invitation, as their coordinators would."""
    for coop in (one, other):
        coop.introduce()
    inviting, accepting = one.person(role="coordinator"), other.person(role="coordinator")
    accepting.post("federation/links", {"code": inviting.post("federation/invitations")["code"]})
    asked = wait_for("the request to link", lambda: _link_in(inviting, "to_confirm"))
    inviting.post(f"federation/links/{asked['link_id']}/confirm")
    for person in (inviting, accepting):
        wait_for("the open link", lambda who=person: _link_in(who, "active"))


def _link_in(person: Person, status: str) -> Json | None:
    links: list[Json] = person.get("federation/links")
    return next((row for row in links if row["status"] == status), None)


_TOLD_TWICE = """
SELECT member_id, template, about_id FROM notifications WHERE about_type = 'booking' AND template <> ALL ($1)
 GROUP BY member_id, template, about_id HAVING count(*) > 1
"""
_OFFER_IS_THERE = "SELECT count(*) > 0 FROM offers WHERE id = $1 AND published"


@contextmanager
def under_trial(
    local: LocalInstance, servers: Servers, *, agent: bool = False, services: Sequence[str] = names.SERVICES
) -> Generator[Coop]:
    """The running cooperative, ready; ended with the block."""
    coop = Coop(local, servers, services)
    try:
        coop.start(agent=agent)
        coop.wait_ready()
        yield coop
    finally:
        coop.close()

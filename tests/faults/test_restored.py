"""A cooperative loses its servers with all their data and comes back from last night's backup; its peer went on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from deploy.demo.api import Json, wait_for
from deploy.local.folders import CHECKOUT
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests.faults import invariants
from tests.faults.conftest import addresses_of
from tests.faults.cooperative import Coop, Person, link, under_trial
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.test_clocks_apart import again
from tests.faults.test_link_cut import COPY_IS_THERE, book_across, day_to_book, publish_change_withdraw, uncrossed
from tests.instances import cooperatives
from tests.servers import Servers

pytestmark = [pytest.mark.xdist_group("faults-restored"), pytest.mark.timeout(900)]

MUCH_LATER = 1000
"""Hours from the first one on: nobody gets so far while the backup is made, however fast the machine is."""


@dataclass
class Mortal:
    """A cooperative whose servers can be lost with all that they hold."""

    coop: Coop
    postgres: LocalPostgres
    rabbit: LocalRabbit

    def lose_everything(self) -> None:
        """Processes, databases and broker are gone; only the secrets and backups are left."""
        self.coop.kill()
        self.coop.reconnect()
        for server in (self.postgres, self.rabbit):
            server.kill()
            server.stop()

    def get_new_servers(self) -> None:
        self.postgres = LocalPostgres(port=self.postgres.port)
        self.rabbit = LocalRabbit(amqp_port=self.rabbit.amqp_port, management_port=self.rabbit.management_port)
        for server in (self.postgres, self.rabbit):
            server.start()
        self.coop.local.addresses = addresses_of(self.postgres, self.rabbit)
        self.coop.local.prepare_secrets()

    def script(self, name: str, folder: Path) -> None:
        """Run deploy/`name` as an ops person without compose would."""
        server = {"PGHOST": self.postgres.host, "PGPORT": str(self.postgres.port)}
        server |= {"PGPASSWORD": self.postgres.admin_password, "MAILLAGE_POSTGRES": ""}
        programs = {"PATH": f"{self.postgres.programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            [str(CHECKOUT / "deploy" / name), str(folder)],
            env=self.coop.local.environment()
            | server
            | programs
            | {"MAILLAGE_SERVICES": f"{sys.executable} -m services"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        for server in (self.postgres, self.rabbit):
            server.stop()


@pytest.fixture
def region(servers: Servers, tmp_path: Path) -> Iterator[tuple[Mortal, Coop]]:
    """Lille, on servers of its own, linked with Namur."""
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(), LocalRabbit()
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        make = stack.enter_context(cooperatives(servers, tmp_path))
        homes = {"lille": addresses_of(postgres, rabbit), "namur": None}
        lille, namur = (
            stack.enter_context(under_trial(make(name, where=where), servers, agent=True))
            for name, where in homes.items()
        )
        mortal = Mortal(lille, postgres, rabbit)
        stack.callback(mortal.stop)
        link(lille, namur)
        yield mortal, namur


@dataclass
class Story:
    """People on both sides who go on working. Namur's book Lille's `press`, Julie of Lille books Namur's `lathe`."""

    lille: Coop
    namur: Coop
    marie: Person
    paul: Person
    julie: Person
    press: Json
    lathe: Json
    begins: datetime
    there: str = ""
    here: str = ""
    acknowledged: int = 0
    asked_abroad: set[UUID] = field(default_factory=set[UUID])

    @classmethod
    def begun(cls, lille: Coop, namur: Coop) -> "Story":
        marie, paul, julie = lille.person(name="Marie"), namur.person(name="Paul"), lille.person(name="Julie")
        press, lathe = lille.bookable(marie, "Presse"), namur.bookable(paul, "Tour")
        story = cls(lille, namur, marie, paul, julie, press, lathe, day_to_book())
        there = lambda: namur.value("booking", COPY_IS_THERE, UUID(press["id"]))  # noqa: E731
        here = lambda: lille.value("booking", COPY_IS_THERE, UUID(lathe["id"]))  # noqa: E731
        story.there, story.here = wait_for("the press in Namur", there), wait_for("the lathe in Lille", here)
        story.ask_abroad(0)  # from now on Namur knows Julie by a pseudonym
        return story

    def ask(self, number: int) -> Json:
        return book_across(self.namur, self.press, self.there, self.begins, number)

    def ask_abroad(self, number: int) -> Json:
        start = self.begins + timedelta(hours=number)
        period = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
        body = {"offer_id": self.lathe["id"], "origin": self.here} | period
        booking: Json = again(self.lille, self.julie).post("booking/bookings", body)
        self.asked_abroad.add(UUID(booking["id"]))
        return booking

    def call_off(self) -> UUID:
        """Marie calls off the newest of Namur's bookings, which no backup knows, and Namur hears of it."""
        newest = _bookings(self.lille, self.press, "confirmed")[-1]
        again(self.lille, self.marie).post(f"booking/bookings/{newest}/cancel", {"reason": "En panne"})
        wait_for("its end in Namur", lambda: newest in _bookings(self.namur, self.press, "cancelled"))
        return newest

    def change(self, coop: Coop, person: Person, title: str, number: int) -> Json:
        return publish_change_withdraw(again(coop, person), title, number)

    def go_on(self, mortal: Mortal, folder: Path) -> None:
        """Work, with a backup in the middle of it."""
        with (
            Load(lambda number: self.change(self.lille, self.marie, "Colle", number), pause=0.02) as lilles,
            Load(lambda number: self.change(self.namur, self.paul, "Lame", number), pause=0.05) as namurs,
            Load(self.ask, pause=0.1) as bookings,
            Load(lambda number: self.ask_abroad(1 + number), pause=0.3) as abroad,
        ):
            bookings.wait_for_more(5)
            mortal.script("backup.sh", folder)
            lilles.wait_for_more(10)
            bookings.wait_for_more(10)
            abroad.wait_for_more(3)
        assert len(list(folder.iterdir())) == 6
        self.acknowledged = sum(len(load.acknowledged) for load in (lilles, namurs, bookings, abroad))


def test_a_cooperative_restored_from_a_backup_takes_back_what_it_had_promised_and_asked_for_since(
    region: tuple[Mortal, Coop], tmp_path: Path, ledger: Ledger
) -> None:
    mortal, namur = region
    lille = mortal.coop
    story = Story.begun(lille, namur)
    story.go_on(mortal, tmp_path / "backup")
    wait_for("answers to all", lambda: not _waiting(namur) and not _waiting(lille), seconds=60)
    called_off, promised = story.call_off(), _confirmed(namur, story.press)
    mortal.lose_everything()
    since = [story.ask(MUCH_LATER + number) for number in range(3)]
    changed = story.change(namur, story.paul, "Lame, pendant la panne", 1)
    mortal.get_new_servers()
    mortal.script("restore.sh", tmp_path / "backup")
    forgotten = promised - set(_bookings(lille, story.press))
    forgotten_abroad = story.asked_abroad - set(_bookings(lille, story.lathe))
    assert forgotten, "the backup was made after everything"
    assert called_off not in _bookings(lille, story.press), "the backup was made after what was called off since"
    assert forgotten_abroad, "the backup was made after everything that Julie asked for"
    lacking = promised | story.asked_abroad
    fault = ledger.begin("restored from a backup, broker lost", "", lambda: sorted(lacking - _known(lille, story)))
    fault.cause_ended()
    lille.restart()
    fault.wait_healed()
    wait_for("the end of the recovery", lambda: not _recovering(lille), seconds=60)
    invariants.check(lille, namur, linked=True, seconds=120)
    assert promised <= set(_bookings(lille, story.press, "confirmed"))
    assert called_off in _bookings(lille, story.press, "cancelled"), "its request has come again, its end has not"
    assert story.asked_abroad <= set(_bookings(lille, story.lathe, "confirmed"))
    asked_since = {UUID(booking["id"]) for booking in since}
    wait_for(
        "answers to what was asked meanwhile",
        lambda: asked_since <= set(_bookings(lille, story.press, "confirmed", "cancelled")),
        seconds=60,
    )
    assert lille.unseen([changed["title"]]) == []
    assert not uncrossed(lille, namur)
    fault.load = f"{story.acknowledged} writes, {len(forgotten)} + {len(forgotten_abroad)} bookings forgotten"
    ledger.end(fault, doubled=lille.doubled() + namur.doubled())


def _known(lille: Coop, story: Story) -> set[UUID]:
    return {*_bookings(lille, story.press), *_bookings(lille, story.lathe)}


def _bookings(coop: Coop, offer: Json, *states: str) -> list[UUID]:
    query = "SELECT id, status FROM bookings WHERE offer_id = $1 ORDER BY id"
    return [
        row["id"] for row in coop.rows("booking", query, UUID(offer["id"])) if not states or row["status"] in states
    ]


def _confirmed(coop: Coop, offer: Json) -> set[UUID]:
    return set(_bookings(coop, offer, "confirmed"))


def _waiting(coop: Coop) -> int:
    return coop.value("booking", "SELECT count(*) FROM bookings WHERE status IN ('pending', 'cancelling')")


def _recovering(coop: Coop) -> bool:
    return coop.value("federation", "SELECT count(*) FROM recoveries WHERE ended_at IS NULL") > 0

"""Two linked cooperatives whose clocks are minutes apart, and both from their databases' clocks."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from deploy.demo.api import wait_for
from deploy.local import packages
from tests.faults import invariants
from tests.faults.cooperative import Coop, Person, link, under_trial
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.test_link_cut import COPY_IS_THERE, book_across, day_to_book, publish_change_withdraw, uncrossed
from tests.instances import cooperatives
from tests.servers import Servers

pytestmark = [pytest.mark.xdist_group("faults-clocks"), pytest.mark.timeout(600), pytest.mark.long]

APART = timedelta(minutes=3)
"""Less than the five minutes that a token is good for: people bring theirs from a third clock."""


@pytest.fixture
def apart(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Coop, Coop]]:
    """Namur is ahead."""
    packages.ensure(packages.FAKETIME)
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    ahead = {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"+{APART.total_seconds():.0f}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with ExitStack() as stack:
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("apart")))
        lille, namur = (
            stack.enter_context(under_trial(make(name, **clock), servers, agent=True))
            for name, clock in (("lille", {}), ("namur", ahead))
        )
        link(lille, namur)
        yield lille, namur


def test_cooperatives_whose_clocks_are_minutes_apart_agree(apart: tuple[Coop, Coop], ledger: Ledger) -> None:
    lille, namur = apart
    paul, marie = namur.person(name="Paul"), lille.person(name="Marie")
    offer = namur.bookable(paul, "Presse d'avance")
    origin = wait_for("the offer in Lille", lambda: lille.value("booking", COPY_IS_THERE, UUID(offer["id"])))
    begins = day_to_book()
    fault = ledger.begin(f"clocks {APART.seconds // 60} minutes apart", "", lambda: uncrossed(lille, namur))
    with (
        Load(lambda number: publish_change_withdraw(again(namur, paul), "Lame d'avance", number), pause=0.1) as namurs,
        Load(
            lambda number: publish_change_withdraw(again(lille, marie), "Colle d'avance", number), pause=0.1
        ) as lilles,
        Load(lambda number: book_across(lille, offer, origin, begins, number), pause=0.2) as bookings,
    ):
        bookings.wait_for_more(20)
    fault.cause_ended()
    fault.wait_healed()
    for load in (namurs, lilles, bookings):
        assert not load.failed, f"a write was refused: {load.failed[0]}"
    invariants.check(lille, namur, linked=True, seconds=180)
    fault.load = f"{sum(len(load.acknowledged) for load in (namurs, lilles, bookings))} writes on both sides"
    ledger.end(fault, doubled=lille.doubled() + namur.doubled())


def again(coop: Coop, person: Person) -> Person:
    """The same with a fresh token: one is soon out of date by the clock that is ahead."""
    return coop.person(name="Ana", member_id=person.id)

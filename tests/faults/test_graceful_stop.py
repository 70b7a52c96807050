"""SIGTERM to a whole cooperative in the middle of its work: what is in hand is finished or handed back, and it ends.

Within ten seconds, as `docker stop` and systemd expect, whatever hangs. How late this machine is meanwhile is measured
and added.
"""

import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Self

import psutil
import pytest

from deploy.demo.api import Json, wait_for
from services.chassis.process import STOP_SECONDS
from tests.faults import invariants
from tests.faults.conftest import Ruin
from tests.faults.cooperative import ALWAYS_OPEN, Coop
from tests.faults.ledger import Ledger
from tests.faults.test_killed_processes import is_indexed, unindexed

pytestmark = [pytest.mark.xdist_group("faults-servers"), pytest.mark.timeout(900)]

TICK = 0.05


@pytest.fixture(autouse=True)
def whole_again(ruin: Ruin) -> Iterator[None]:
    """Also after a failure: the tests that follow need it."""
    yield
    ruin.coop.kill()
    ruin.coop.reconnect()
    ruin.coop.restart()


class Lateness:
    """How many seconds longer than asked for a thread slept while the block ran: others had the machine."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            time.sleep(TICK)
            self.seconds += time.monotonic() - before - TICK


@contextmanager
def frozen(pid: int | None) -> Generator[None]:
    """A server with all its processes hangs while the block runs: it takes connections and answers nothing."""
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for one in family:
        one.suspend()
    try:
        yield
    finally:
        for one in family:
            one.resume()


@contextmanager
def at_work(coop: Coop, mark: str) -> Generator[tuple[Json, "Future[Json]", ExitStack]]:
    """A handler, a relay and a request inside their statements; gives what they work on, and how to let them go on.

    Gives an offer whose handler waits in matching, the request for another one, and what ends the waiting.
    """
    matching, booking, catalog = (coop.sql(name) for name in ("matching", "booking", "catalog"))
    laid_out = coop.bookable(owner := coop.person(), f"Étau {mark}")
    with ExitStack() as held, ThreadPoolExecutor(1) as asking:
        held.enter_context(booking.holding_up("DELETE", "outbox"))
        owner.call("PUT", f"booking/resources/{laid_out['id']}", json=ALWAYS_OPEN | {"lead_minutes": 30})
        wait_for("the relay inside its delete", booking.waiting)
        held.enter_context(matching.holding_up("INSERT", "things"))
        in_hand = coop.person().publish(f"Enclume {mark}")
        wait_for("the handler inside its insert", matching.waiting)
        held.enter_context(catalog.holding_up("INSERT", "listings"))
        asked = asking.submit(coop.person().publish, f"Soufflet {mark}")
        wait_for("the request inside its insert", catalog.waiting)
        yield in_hand, asked, held


def ends(coop: Coop, late: Lateness, began: float) -> None:
    """It ends by itself, well, and in time."""
    code = coop.wait_for_end(6 * STOP_SECONDS)
    took = time.monotonic() - began
    assert code == 0, f"{code}\n{coop.log()[-3000:]}"
    slow = f"{took:.1f} s, {late.seconds:.1f} of them the machine's"
    assert took <= STOP_SECONDS + late.seconds, f"{slow}\n{coop.log()[-3000:]}"


def test_what_is_in_hand_is_finished_and_the_request_is_answered(coop: Coop, ledger: Ledger) -> None:
    handled = coop.value("matching", "SELECT count(*) FROM inbox")
    with Lateness() as late, at_work(coop, "rendu") as (in_hand, asked, held):
        began = time.monotonic()
        coop.tell_to_end()
        held.close()
        answered = asked.result()
        ends(coop, late, began)
    fault = ledger.begin("told to end in the middle of work", "2 writes", unindexed(coop, in_hand, answered))
    fault.cause_ended()
    coop.restart()
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=coop.doubled())
    assert coop.value("matching", "SELECT count(*) FROM inbox") > handled


@pytest.mark.parametrize("what", ["nothing", "postgres", "rabbit"])
def test_what_hangs_does_not_hold_up_the_end_and_is_done_after_the_next_start(
    ruin: Ruin, ledger: Ledger, what: str
) -> None:
    """`nothing` but the statements themselves: locks that nobody gives back."""
    coop = ruin.coop
    with Lateness() as late, at_work(coop, what) as (in_hand, asked, held), ExitStack() as hanging:
        if what != "nothing":
            hanging.enter_context(frozen(getattr(ruin, what).pid))
        began = time.monotonic()
        coop.tell_to_end()
        ends(coop, late, began)
        hanging.close()
        held.close()
        assert asked.exception() is not None, "nobody could have done that"
    fault = ledger.begin(f"told to end while {what} hangs", "1 write", unindexed(coop, in_hand))
    fault.cause_ended()
    coop.restart()
    fault.wait_healed()
    assert is_indexed(coop, in_hand)()
    assert coop.value("catalog", "SELECT count(*) FROM listings WHERE title = $1", f"Soufflet {what}") == 0
    invariants.check(coop)
    ledger.end(fault, doubled=coop.doubled())

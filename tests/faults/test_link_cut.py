"""The line between two cooperatives is cut while people write on both sides."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from deploy.demo.api import Json, Refused, wait_for
from tests.faults import invariants
from tests.faults.conftest import Pair
from tests.faults.cooperative import LASER, Coop, Person
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.namespace import Wire, wire
from tests.faults.proxy import Proxy
from tests.servers import Servers

pytestmark = [pytest.mark.xdist_group("faults-link"), pytest.mark.timeout(300)]

CUT_SECONDS = 10.0
LONG_CUT_SECONDS = 180.0
COPY_IS_THERE = "SELECT origin FROM peer_resources WHERE offer_id = $1"


def publish_change_withdraw(who: Person, title: str, number: int) -> Json:
    """One of three lives of a listing: published; published and changed; published and withdrawn."""
    listing = who.publish(f"{title} {number}")
    if number % 3 == 1:
        form = LASER | {"title": f"{title} {number}, affûtée", "version": listing["version"]}
        return who.call("PUT", f"catalog/listings/{listing['id']}", json=form)
    if number % 3 == 2:
        return who.post(f"catalog/listings/{listing['id']}/withdraw")
    return listing


def day_to_book() -> datetime:
    """The first hour that is booked: no midnight that comes during a test makes it one of the past."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


def book_across(coop: Coop, offer: Json, origin: str, first: datetime, number: int) -> Json:
    """Somebody new asks for an hour of its own; every fourth takes it back at once."""
    start = first + timedelta(hours=number)
    period = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    guest = coop.person(name="Marie")
    booking: Json = guest.post("booking/bookings", {"offer_id": offer["id"], "origin": origin} | period)
    if number % 4 == 3:
        try:
            guest.post(f"booking/bookings/{booking['id']}/cancel", {"reason": "Changement de plan."})
        except Refused as refused:
            assert refused.status == 409, refused  # noqa: PT017 - the answer came in between
    return booking


@pytest.mark.parametrize("how", ["closed", "silent", "own-broker"])
def test_a_link_cut_for_ten_seconds_under_load_leaves_both_sides_equal(pair: Pair, ledger: Ledger, how: str) -> None:
    """`closed`: connections are refused. `silent`: packets vanish. `own-broker`: both lose their own broker instead."""
    cut(pair, ledger, how, seconds=CUT_SECONDS, pause=0.1)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["closed", "silent"])
def test_a_link_cut_for_minutes_with_thousands_of_events_leaves_both_sides_equal(
    pair: Pair, ledger: Ledger, how: str
) -> None:
    cut(pair, ledger, how, seconds=LONG_CUT_SECONDS, pause=0.0)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_packets_dropped_by_a_firewall_for_a_minute_leave_both_sides_equal(
    pair: Pair, servers: Servers, ledger: Ledger
) -> None:
    """The same as `silent`, by the kernel: nobody is told that a connection has ended, and none can be made."""
    with wire(servers.amqp_port) as real:
        for line in pair.lines:
            line.lead_to(real.port)
        try:
            cut(pair, ledger, "packets dropped", seconds=60, pause=0.05, wires=[real])
        finally:
            for line in pair.lines:
                line.lead_to(servers.amqp_port)


def cut(pair: Pair, ledger: Ledger, how: str, *, seconds: float, pause: float, wires: Sequence[Wire] = ()) -> None:
    """Cut the lines (or `wires` behind them) under load, `pause` seconds between two writes; then compare."""
    lille, namur = pair.lille, pair.namur
    name = f"{how} {seconds:.0f}"
    lines = pair.own_lines if how == "own-broker" else pair.lines
    paul = namur.person(name="Paul")
    offer = namur.bookable(paul, f"Presse {name}")
    origin = wait_for("the offer in Lille", lambda: lille.value("booking", COPY_IS_THERE, UUID(offer["id"])))
    marie, begins = lille.person(name="Marie"), day_to_book()
    with (
        Load(lambda number: publish_change_withdraw(paul, f"Lame {name}", number), pause=pause) as namurs,
        Load(lambda number: publish_change_withdraw(marie, f"Colle {name}", number), pause=pause) as lilles,
        Load(lambda number: book_across(lille, offer, origin, begins, number), pause=0.3) as bookings,
    ):
        bookings.wait_for_more(3)
        for line in wires or lines:
            line.cut() if isinstance(line, Proxy) and how != "silent" else line.silence()
        carried = [line.forwarded for line in lines]
        time.sleep(seconds)
        assert wires or [line.forwarded for line in lines] == carried, "the line was not cut"
        fault = ledger.begin(f"link cut for {seconds:.0f} s ({how})", "", lambda: uncrossed(lille, namur))
        for line in wires or lines:
            line.mend()
        fault.cause_ended()
        fault.wait_healed(300)
        bookings.wait_for_more(3)
    for load in (namurs, lilles, bookings):
        assert not load.failed, f"a write was refused although only the link was cut: {load.failed[0]}"
    invariants.check(lille, namur, linked=True, seconds=300)
    states = "SELECT id, status FROM bookings WHERE offer_id = $1"
    decided = {row["id"]: row["status"] for row in namur.rows("booking", states, UUID(offer["id"]))}
    assert {UUID(booking["id"]) for booking in bookings.acknowledged} <= decided.keys()
    assert set(decided.values()) <= {"confirmed", "cancelled"}, "every hour was free, so Namur says yes"
    assert "confirmed" in decided.values()
    fault.load = f"{sum(len(load.acknowledged) for load in (namurs, lilles, bookings))} writes on both sides"
    ledger.end(fault, doubled=lille.doubled() + namur.doubled())


def uncrossed(one: Coop, other: Coop) -> list[str]:
    """The messages that one has numbered for the other and the other has not applied."""
    found: list[str] = []
    for origin, holder in ((one, other), (other, one)):
        sent = origin.value("federation", "SELECT max(seq) FROM streams") or 0
        applied = holder.value("federation", "SELECT max(applied_to) FROM positions") or 0
        found += [f"{origin.name} {seq}" for seq in range(applied + 1, sent + 1)]
    return found

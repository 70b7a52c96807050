"""Arriving, leaving, being late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.booking import Status
from services.booking.domain import use
from services.booking.domain.answers import Answer
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.domain.problems_of_use import AlreadyArrived, NoCheckIn, NotInUse, TooEarly, TooLateToArrive
from services.booking.domain.spans import Span

NINE = datetime(2026, 3, 19, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ANA, OMAR = uuid4(), uuid4()


def booking(status: Status = "confirmed", **changes: Any) -> Booking:
    """Ana has Omar's laser from 9 to 11; half an hour of grace, half an hour of cleaning."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "offer_id": uuid4(),
        "offer_title": "Laser",
        "resource_origin": None,
        "origin_name": None,
        "borrower_member_id": ANA,
        "borrower_name": "Ana",
        "borrower_peer_id": None,
        "borrower_peer_name": None,
        "borrower_pseudonym": None,
        "owner_member_id": OMAR,
        "owner_name": "Omar",
        "starts_at": NINE,
        "ends_at": NINE + 2 * HOUR,
        "occupied": Span(NINE, NINE + 2.5 * HOUR),
        "exclusive": True,
        "time_zone": "Europe/Paris",
        "place_label": None,
        "quantity": 1,
        "note": "",
        "status": status,
        "reason": None,
        "decide_by": None,
        "remote_version": 0,
        "version": 3,
        "created_at": NINE,
        "changed_at": NINE,
        "grace_minutes": 30,
        "check_in_code": "004217",
    }
    return Booking(**(values | changes))


def person(member_id: UUID, **changes: Any) -> Person:
    return replace(Person(id=member_id, name="", role="member"), **changes)


@pytest.mark.parametrize(
    ("minutes", "problem"),
    [(-16, TooEarly), (-15, None), (0, None), (29, None), (30, TooLateToArrive), (121, TooLateToArrive)],
)
def test_people_may_arrive_from_a_little_before_until_the_grace_is_over(minutes: int, problem: Any) -> None:
    one, now = booking(), NINE + minutes * MINUTE
    assert use.may_check_in(one, person(ANA), now) is (problem is None)
    if problem is not None:
        with pytest.raises(problem):
            use.check_in(one, now=now)
        return
    event = use.check_in(one, now=now)
    assert (event.type, event.booking.status, event.booking.version) == ("booking.confirmed.v1", "in_use", 4)
    assert event.booking.checked_in_at == now


def test_the_grace_ends_with_the_booking_at_the_latest() -> None:
    window = use.arrival(booking(ends_at=NINE + 20 * MINUTE))
    assert window is not None
    assert window.end == NINE + 20 * MINUTE


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"grace_minutes": None}, NoCheckIn),
        ({"resource_origin": "namur"}, NoCheckIn),
        ({"status": "in_use"}, AlreadyArrived),
        ({"status": "overdue"}, AlreadyArrived),
        ({"status": "completed"}, AlreadyArrived),
        ({"status": "no_show"}, TooLateToArrive),
        ({"status": "pending"}, NotInUse),
        ({"status": "cancelled"}, NotInUse),
    ],
)
def test_only_what_is_confirmed_here_and_asks_for_it_can_be_checked_in(changes: dict[str, Any], problem: Any) -> None:
    with pytest.raises(problem):
        use.check_in(booking(**changes), now=NINE)


def test_strangers_neither_check_in_nor_out_and_nobody_sees_the_code_of_their_own_booking() -> None:
    one, chloe = booking(), person(uuid4(), role="coordinator")
    assert [use.may_check_in(one, who, NINE) for who in (person(ANA), person(OMAR), chloe, person(uuid4()))] == [
        True, True, True, False,
    ]  # fmt: skip
    assert [use.may_see_code(one, who) for who in (person(ANA), person(OMAR), chloe, person(uuid4()))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not use.may_see_code(one, person(ANA, role="administrator"))
    out = booking("in_use")
    assert use.may_check_out(out, person(ANA))
    assert not use.may_check_out(out, person(uuid4()))
    assert not use.may_check_out(booking("in_use", checked_out_at=NINE), person(ANA))


def test_an_early_end_frees_the_rest_after_its_cleaning() -> None:
    one, now = booking("in_use", checked_in_at=NINE), NINE + HOUR
    until = now + use.buffer_after(one, timedelta(0))
    event = use.check_out(one, occupied_until=until, now=now)
    assert one.occupied == Span(NINE, NINE + 1.5 * HOUR)
    assert (event.booking.status, event.booking.checked_out_at) == ("in_use", now)
    assert not use.is_out(one)


def test_without_cleaning_it_is_completed_at_once() -> None:
    one = booking("overdue", checked_in_at=NINE, occupied=Span(NINE, NINE + 3 * HOUR))
    late = NINE + 2.75 * HOUR
    assert use.buffer_after(one, timedelta(0)) == timedelta(0)
    assert use.check_out(one, occupied_until=late, now=late).type == "booking.completed.v1"
    assert one.used == Span(NINE, late)


def test_who_leaves_before_the_start_occupies_no_empty_span() -> None:
    one, now = booking("in_use", checked_in_at=NINE - 15 * MINUTE), NINE - 10 * MINUTE
    use.check_out(one, occupied_until=now, now=now)
    assert one.occupied is not None
    assert one.occupied.length > timedelta(0)


def said(ours: Booking, status: Any, **more: Any) -> Answer:
    values: dict[str, Any] = {"period": ours.period, "quantity": 1, "reason": None, "withdrawals_heard": 0}
    return Answer(status=status, **(values | more))


def test_what_a_peer_says_of_a_use_is_followed_and_never_taken_back() -> None:
    ours = booking("cancelling", resource_origin="namur", grace_minutes=None)
    for status in ("confirmed", "pending"):
        assert ours.follow(said(ours, status), now=NINE) is None
    told = ours.follow(said(ours, "in_use"), now=NINE)
    assert told is not None
    assert ours.follow(said(ours, "confirmed"), now=NINE) is None
    assert ours.follow(said(ours, "pending"), now=NINE) is None
    overdue = ours.follow(said(ours, "overdue"), now=NINE)
    assert overdue is not None
    assert overdue.booking.status == "overdue"
    nobody = booking(resource_origin="namur").follow(said(ours, "no_show"), now=NINE)
    assert nobody is not None
    assert nobody.type == "booking.completed.v1"


def test_what_stands_although_it_was_to_be_called_off_stands_here_too() -> None:
    ours = booking("confirmed", resource_origin="namur", grace_minutes=None)
    ours.cancel(by="borrower", reason="grippe", now=NINE)
    assert ours.follow(said(ours, "confirmed"), now=NINE) is None
    refused = ours.follow(said(ours, "confirmed", withdrawals_heard=1), now=NINE)
    assert refused is not None
    assert (refused.type, ours.status, ours.reason) == ("booking.cancellation_refused.v1", "confirmed", None)


def test_a_booking_follows_where_the_peer_has_moved_it_with_its_buffers() -> None:
    ours = booking("confirmed", resource_origin="namur")
    assert ours.occupied is not None
    before = ours.occupied.length - ours.period.length
    later = Span(ours.starts_at + 60 * MINUTE, ours.ends_at + 90 * MINUTE)
    moved = ours.follow(said(ours, "confirmed", period=later, quantity=2), now=NINE)
    assert moved is not None
    assert (moved.type, ours.period, ours.quantity) == ("booking.moved.v1", later, 2)
    assert ours.occupied.length - later.length == before


MOMENTS = st.integers(0, 60).map(lambda minutes: NINE + minutes * MINUTE)
OTHERS = st.lists(st.tuples(MOMENTS, MOMENTS, st.integers(1, 4)).filter(lambda one: one[0] < one[1]), max_size=6)


@given(others=OTHERS, capacity=st.integers(1, 6), quantity=st.integers(1, 4))
def test_a_place_is_kept_as_far_as_it_fits_and_no_further(
    others: list[tuple[datetime, datetime, int]], capacity: int, quantity: int
) -> None:
    spans = [(Span(start, end), pieces) for start, end, pieces in others]
    until = NINE + HOUR
    end = use.reach(NINE, until, quantity=quantity, capacity=capacity, others=spans)

    def fits(minute: int) -> bool:
        at = NINE + minute * MINUTE
        return quantity + sum(pieces for span, pieces in spans if span.start <= at < span.end) <= capacity

    minutes = (end - NINE) // MINUTE
    assert all(fits(minute) for minute in range(minutes))
    assert end == until or not fits(minutes)

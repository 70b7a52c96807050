"""The rule of the waiting list: by examples, and against a slow oracle that knows nothing but minutes."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.booking.domain.line import SHORTEST_KEEP, Turn, Wish, free_parts, hand_out
from services.booking.domain.spans import Occupied, Span

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = datetime(2026, 3, 9, tzinfo=UTC)
PATIENCE = timedelta(hours=12)


def at(hour: int) -> datetime:
    return DAY + timedelta(hours=hour)


def wish(number: int, first: int, last: int, quantity: int = 1, *, passed_over: bool = False) -> Wish:
    span = Span(at(first), at(last))
    return Wish(
        id=UUID(int=number), occupied=span, quantity=quantity, last=span.start, patience=PATIENCE,
        passed_over=passed_over,
    )  # fmt: skip


def taken(first: int, last: int, quantity: int = 1) -> Occupied:
    return Occupied(Span(at(first), at(last)), quantity)


def numbers(wishes: list[Wish]) -> list[int]:
    return [one.id.int for one in wishes]


def test_who_came_first_is_served_first() -> None:
    turn = hand_out([wish(1, 9, 11), wish(2, 10, 12), wish(3, 11, 12)], taken=[], capacity=1, now=NOW)
    assert numbers(turn.offered) == [1, 3]
    assert numbers(turn.waiting) == [2]


def test_a_big_wish_is_passed_over_once_and_then_what_becomes_free_adds_up_for_it() -> None:
    line = [wish(1, 9, 12, 3), wish(2, 9, 12), wish(3, 9, 12)]
    first = hand_out(line, taken=[taken(9, 12, 2)], capacity=3, now=NOW)
    assert numbers(first.offered) == [2]
    assert first.kept == {}
    second = hand_out(first.waiting, taken=[taken(9, 12, 2)], capacity=3, now=NOW)
    assert numbers(second.offered) == []
    assert second.kept == {UUID(int=1): [taken(9, 12)]}
    third = hand_out(second.waiting, taken=[taken(9, 12)], capacity=3, now=NOW + timedelta(hours=11))
    assert third.kept == {UUID(int=1): [taken(9, 12, 2)]}
    whole = hand_out(third.waiting, taken=[], capacity=3, now=NOW + timedelta(hours=11))
    assert numbers(whole.offered) == [1]
    assert numbers(whole.waiting) == [3]


def test_what_was_kept_in_vain_goes_to_those_behind() -> None:
    line = [replace(wish(1, 9, 12, 3), passed_over=True), wish(2, 9, 12)]
    kept = hand_out(line, taken=[taken(9, 12, 2)], capacity=3, now=NOW)
    over = hand_out(kept.waiting, taken=[taken(9, 12, 2)], capacity=3, now=NOW + PATIENCE)
    assert numbers(over.offered) == [2]
    (big,) = over.waiting
    assert (big.kept_until, big.passed_over) == (None, True)


def test_nothing_is_kept_longer_than_half_of_the_time_that_is_left() -> None:
    one = wish(1, 9, 12, 2, passed_over=True)
    for left in (timedelta(hours=4), timedelta(minutes=29), timedelta(days=30)):
        now = one.last - left
        half = min(left / 2, PATIENCE)
        assert one.keep_until(now) == (now + half if half >= SHORTEST_KEEP else None)


def test_what_is_kept_is_what_is_needed_at_each_instant() -> None:
    one = wish(1, 9, 13, 3)
    parts = free_parts(one, taken=[taken(8, 10, 2), taken(11, 12, 5), taken(12, 14, 4)], capacity=5)
    assert parts == [taken(9, 11, 3), taken(12, 13, 1)]


# The oracle: an hour is a cell, a line is a list, nothing is clever.

CAPACITY = 3
HOURS = range(6)


@dataclass
class Day:
    """Who has how many in which hour; who waits; what has happened to whom."""

    bookings: dict[int, tuple[int, int, int]] = field(default_factory=dict[int, tuple[int, int, int]])
    line: list[Wish] = field(default_factory=list[Wish])
    now: datetime = NOW
    count: int = 0
    passings: dict[int, int] = field(default_factory=dict[int, int])
    """How often a wish was passed over since anything was kept for it."""

    def level(self, hour: int) -> int:
        return sum(quantity for first, last, quantity in self.bookings.values() if first <= hour < last)

    def taken(self) -> list[Occupied]:
        return [taken(first, last, quantity) for first, last, quantity in self.bookings.values()]


def cells(one: Wish) -> range:
    return range(
        int((one.occupied.start - DAY) / timedelta(hours=1)), int((one.occupied.end - DAY) / timedelta(hours=1))
    )


def handing(day: Day) -> Turn:
    before = list(day.line)
    free = {hour: CAPACITY - day.level(hour) for hour in HOURS}
    turn = hand_out(before, taken=day.taken(), capacity=CAPACITY, now=day.now)
    offered = set(numbers(turn.offered))
    for one in before:  # the oracle walks the line by itself, cell by cell
        fits = all(free[hour] >= one.quantity for hour in cells(one))
        assert (one.id.int in offered) == fits, "order, or a place wasted, or too many"
        kept = turn.kept.get(one.id, [])
        for hour in cells(one):
            mine = one.quantity if fits else sum(p.quantity for p in kept if p.span.start <= at(hour) < p.span.end)
            assert mine <= free[hour]
            if one.id in turn.kept:
                assert mine == min(free[hour], one.quantity)
            free[hour] -= mine
    assert all(left >= 0 for left in free.values())
    after = {one.id.int: one for one in turn.waiting}
    for one in turn.waiting:
        hours = set(cells(one))
        behind = [other for other in turn.offered if other.id.int > one.id.int and hours & set(cells(other))]
        if after[one.id.int].kept_until is not None:
            day.passings[one.id.int] = 0
        elif behind:
            day.passings[one.id.int] = day.passings.get(one.id.int, 0) + 1
        if one.keep_until(day.now) is not None:
            assert day.passings.get(one.id.int, 0) <= 1, "passed over again and again"
    for one in turn.offered:
        first = cells(one)
        day.bookings[one.id.int] = (first.start, first.stop, one.quantity)
    day.line = turn.waiting
    return turn


actions = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 4), st.integers(1, 4), st.integers(1, CAPACITY)),
        st.tuples(st.just("free"), st.integers(0, 30), st.just(0), st.just(0)),
        st.tuples(st.just("later"), st.integers(1, 14), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(actions)
def test_never_an_excess_nothing_wasted_nobody_overtaken_for_long(happening: list[tuple[str, int, int, int]]) -> None:
    day = Day()
    for what, first, length, quantity in happening:
        match what:
            case "join":
                day.count += 1
                day.line.append(wish(day.count, first, min(first + length, 6), quantity))
            case "free" if day.bookings:
                del day.bookings[sorted(day.bookings)[first % len(day.bookings)]]
            case "later":
                day.now += timedelta(hours=first)
            case _:
                continue
        handing(day)
        assert all(day.level(hour) <= CAPACITY for hour in HOURS)
    # Everybody goes home, one after the other: everybody who waits is served in the end, well before the day.
    for _ in range(3 * len(day.line) + 3 * len(day.bookings) + 3):
        if day.bookings:
            del day.bookings[min(day.bookings)]
        handing(day)
    assert day.line == []

"""Dates of a series by the wall clock and the calendar of a resource: what is planned, and what is in the way."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.booking.domain.occurrences import Moved, Nearby, Plan, Shift, judged, occurrences
from services.booking.domain.opening import Closure
from services.booking.domain.recurrence import recurrence_of
from services.booking.domain.spans import Occupied, Span
from tests.unit.booking.test_recurrence import LAST, NOW, PARIS, paris, rules


def _plan(rrule: str, first: Span) -> Plan:
    return Plan(rule=recurrence_of(rrule), first=first)


@pytest.mark.parametrize("first", [date(2027, 3, 25), date(2027, 10, 28)])
def test_wall_times_stay_over_a_clock_change(first: date) -> None:
    start = datetime.combine(first, time(9), PARIS).astimezone(UTC)
    found = occurrences(_plan("FREQ=DAILY;COUNT=7", Span(start, start + timedelta(hours=2))), PARIS, last=LAST)
    walls = [(one.period.start.astimezone(PARIS).time(), one.period.end.astimezone(PARIS).time()) for one in found]
    assert walls == [(time(9), time(11))] * 7
    assert all(one.exists for one in found)


def test_night_keeps_its_wall_hours_and_so_is_an_hour_shorter_or_longer() -> None:
    for day, hours in ((date(2027, 3, 26), [10, 9, 10]), (date(2027, 10, 29), [10, 11, 10])):
        start = datetime.combine(day, time(22), PARIS).astimezone(UTC)
        found = occurrences(_plan("FREQ=DAILY;COUNT=3", Span(start, start + timedelta(hours=10))), PARIS, last=LAST)
        assert [one.period.length for one in found] == [timedelta(hours=each) for each in hours]


def test_hour_that_clocks_jump_over_is_a_conflict_with_an_alternative_and_never_moved() -> None:
    plan = _plan("FREQ=DAILY;COUNT=3", Span(paris(2027, 3, 27, 2, 30), paris(2027, 3, 27, 4)))
    wanted = occurrences(plan, PARIS, last=LAST)
    fitting, conflicts = judged(rules(), wanted, quantity=1, occupied=[], now=NOW, count=lambda _: None)
    assert [one.day.day for one in fitting] == [27, 29]
    assert [(one.occurrence.day.day, one.code) for one in conflicts] == [(28, "skipped_hour")]
    assert conflicts[0].alternatives[0] == Span(paris(2027, 3, 28, 3), paris(2027, 3, 28, 3) + timedelta(minutes=90))


def test_hour_that_comes_twice_is_the_first_one() -> None:
    plan = _plan("FREQ=DAILY;COUNT=3", Span(paris(2027, 10, 30, 2, 30), paris(2027, 10, 30, 4)))
    found = occurrences(plan, PARIS, last=LAST)
    assert found[1].period.start == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert found[1].period.end == datetime(2027, 10, 31, 3, tzinfo=UTC)


def test_closed_day_and_holiday_are_told_by_name() -> None:
    closed = rules(closures=(Closure(first=date(2027, 5, 3), last=date(2027, 5, 3), label="Ménage"),), holidays="FR")
    plan = _plan("FREQ=DAILY;COUNT=4", Span(paris(2027, 5, 1, 9), paris(2027, 5, 1, 10)))
    wanted = occurrences(plan, PARIS, last=LAST)
    _, conflicts = judged(closed, wanted, quantity=1, occupied=[], now=NOW, count=lambda _: None)
    assert [(one.occurrence.day.day, one.code) for one in conflicts] == [(1, "closed_day"), (3, "closed_day")]
    assert conflicts[0].detail("en") == "Closed: a public holiday (Labor Day)."
    assert conflicts[0].detail("fr") == "Fermé ce jour-là : c'est férié (Fête du Travail)."
    assert conflicts[1].detail("nl") == "Die dag gesloten (Ménage)."


def test_moved_date_keeps_its_original_and_may_not_overlap_another() -> None:
    to = Span(paris(2027, 5, 4, 9, 30), paris(2027, 5, 4, 10, 30))
    first = Span(paris(2027, 5, 3, 9), paris(2027, 5, 3, 10))
    plan = Plan(rule=recurrence_of("FREQ=DAILY;COUNT=3"), first=first, moved=(Moved(day=date(2027, 5, 5), period=to),))
    wanted = occurrences(plan, PARIS, last=LAST)
    assert (wanted[2].original, wanted[2].period) == (paris(2027, 5, 5, 9), to)
    _, conflicts = judged(rules(capacity=3), wanted, quantity=1, occupied=[], now=NOW, count=lambda _: None)
    assert [(one.occurrence.day.day, one.code) for one in conflicts] == [(5, "own_overlap")]


def test_buffers_of_the_series_itself_count() -> None:
    plan = _plan("FREQ=DAILY;COUNT=4", Span(paris(2027, 5, 3, 0), paris(2027, 5, 4, 0)))
    wanted = occurrences(plan, PARIS, last=LAST)
    tight = rules(buffer_after_minutes=15)
    fitting, conflicts = judged(tight, wanted, quantity=1, occupied=[], now=NOW, count=lambda _: None)
    assert [one.day.day for one in fitting] == [3, 5]
    assert {one.code for one in conflicts} == {"own_overlap"}
    fitting, _ = judged(rules(), wanted, quantity=1, occupied=[], now=NOW, count=lambda _: None)
    assert len(fitting) == 4


def test_shift_goes_by_the_wall_clock() -> None:
    old = Span(paris(2027, 3, 20, 9), paris(2027, 3, 20, 10))
    shift = Shift.between(old, Span(paris(2027, 3, 21, 10), paris(2027, 3, 21, 12)), PARIS)
    moved = shift.of(Span(paris(2027, 3, 27, 9), paris(2027, 3, 27, 10)), paris(2027, 3, 27, 9))
    assert moved.period == Span(paris(2027, 3, 28, 10), paris(2027, 3, 28, 12))


def _taken(at: int, length: int) -> Occupied:
    return Occupied(Span(NOW + timedelta(hours=at), NOW + timedelta(hours=at + length)))


@given(st.lists(st.builds(_taken, st.integers(0, 400), st.integers(1, 90))), st.integers(0, 400), st.integers(1, 60))
def test_nearby_finds_all_that_overlaps(occupied: list[Occupied], at: int, length: int) -> None:
    window = _taken(at, length).span
    found = Nearby(occupied)
    late = Nearby(occupied[:3])
    for one in occupied[3:]:
        late.add(one)
    expected = sorted(one for one in occupied if one.span.overlaps(window))
    assert found.around(window) == late.around(window) == expected

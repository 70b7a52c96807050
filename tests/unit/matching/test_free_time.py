"""When a resource is free."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.matching.free_time import Rules, Season, first_free, without

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RULES = Rules(
    time_zone="Europe/Brussels",
    opening=tuple((day, 8 * 60, 18 * 60) for day in range(7)),
    minimum_minutes=60,
    lead_minutes=0,
    horizon_days=90,
)
Minutes = st.integers(min_value=0, max_value=3 * 24 * 60)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@given(st.lists(st.tuples(Minutes, Minutes).map(sorted), max_size=8), st.tuples(Minutes, Minutes).map(sorted))
def test_what_is_left_is_inside_and_never_taken(taken: list[list[int]], period: list[int]) -> None:
    busy = [(at(a), at(b)) for a, b in taken]
    start, end = at(period[0]), at(period[1])
    left = list(without((start, end), busy))
    for a, b in left:
        assert start <= a < b <= end
        assert all(b <= taken_from or a >= taken_until for taken_from, taken_until in busy if taken_from < taken_until)
    free = sum(((b - a) for a, b in left), timedelta())
    marks = sorted({start, end, *(edge for one in busy for edge in one if start < edge < end)})
    open_time = sum(
        (b - a for a, b in pairwise(marks) if not any(f <= a and b <= u for f, u in busy)),
        timedelta(),
    )
    assert free == open_time


def test_opening_hours_are_wall_time_on_both_sides_of_a_clock_change() -> None:
    before = first_free(
        RULES, [], start=datetime(2026, 3, 28, tzinfo=UTC), end=datetime(2026, 3, 29, tzinfo=UTC), now=NOW
    )
    after = first_free(
        RULES, [], start=datetime(2026, 3, 29, tzinfo=UTC), end=datetime(2026, 3, 30, tzinfo=UTC), now=NOW
    )
    assert before is not None
    assert after is not None
    assert before[0].astimezone(UTC).hour == 7
    assert after[0].astimezone(UTC).hour == 6
    assert (before[0].hour, after[0].hour) == (8, 8)


def test_nothing_is_free_that_is_taken_too_short_too_soon_or_too_far() -> None:
    day = datetime(2026, 3, 10, tzinfo=UTC)
    whole = (day, day + timedelta(days=1))
    assert first_free(RULES, [whole], start=whole[0], end=whole[1], now=NOW) is None
    assert first_free(RULES, [], start=day.replace(hour=16, minute=30), end=whole[1], now=NOW) is None
    assert first_free(RULES, [], start=day, end=whole[1], now=day + timedelta(days=2)) is None
    far = day + timedelta(days=200)
    assert first_free(RULES, [], start=far, end=far + timedelta(days=1), now=NOW) is None


def day_of_first_free(rules: Rules, month: int, day: int) -> tuple[int, int, int]:
    """Month, day and hour of what is free first from that day on."""
    start = datetime(2026, month, day, tzinfo=UTC)
    found = first_free(rules, [], start=start, end=start + timedelta(days=60), now=NOW)
    assert found is not None
    return found[0].month, found[0].day, found[0].hour


def test_closures_and_public_holidays_are_not_free() -> None:
    closed = replace(RULES, closures=((date(2026, 4, 1), date(2026, 4, 5)),), holidays="BE")
    assert day_of_first_free(RULES, 4, 1) == (4, 1, 8)
    assert day_of_first_free(closed, 4, 1) == (4, 7, 8)  # the 6th is Easter Monday
    assert day_of_first_free(replace(RULES, holidays="XX-nowhere"), 4, 6) == (4, 6, 8)


def test_a_season_has_hours_of_its_own() -> None:
    evenings = Season(begins="04-10", ends="04-20", opening=tuple((day, 19 * 60, 22 * 60) for day in range(7)))
    asleep = Season(begins="11-01", ends="04-09", opening=())
    rules = replace(RULES, seasons=(asleep, evenings))
    assert day_of_first_free(rules, 4, 2) == (4, 10, 19)
    assert day_of_first_free(rules, 4, 21) == (4, 21, 8)

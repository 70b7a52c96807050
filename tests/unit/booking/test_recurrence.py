"""Rules of repetition, against an oracle that looks at every single day, and in the weeks in which clocks change."""

import time as clock
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.booking.domain.availability import Rules
from services.booking.domain.opening import Hours
from services.booking.domain.recurrence import MOST, ByDay, Recurrence, dates, recurrence_of
from services.chassis.problems import InvalidFields

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2027, 3, 1, tzinfo=UTC)
LAST = date(2028, 5, 1)
ALWAYS = tuple(Hours(day, 0, 1440) for day in range(7))
ONE_DAY = timedelta(days=1)


def rules(**changes: object) -> Rules:
    values: dict[str, object] = {
        "time_zone": "Europe/Paris",
        "opening_hours": ALWAYS,
        "step_minutes": 15,
        "minimum_minutes": 15,
        "maximum_minutes": 3 * 24 * 60,
        "lead_minutes": 0,
        "horizon_days": 800,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 0,
    }
    return Rules(**(values | changes))  # pyright: ignore[reportArgumentType]


def paris(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def nine(year: int, month: int, day: int) -> datetime:
    """Nine o'clock on the wall."""
    return datetime.combine(date(year, month, day), time(9))


# The oracle: RFC 5545 3.3.10 read naively, day by day, with nothing shared with the code.


def _period(rule: Recurrence, day: date) -> date:
    if rule.frequency == "DAILY":
        return day
    return day - timedelta(days=day.weekday()) if rule.frequency == "WEEKLY" else day.replace(day=1)


def _steps(rule: Recurrence, first: date, day: date) -> int:
    """How many periods lie between."""
    if rule.frequency == "MONTHLY":
        return (day.year - first.year) * 12 + day.month - first.month
    return (_period(rule, day) - _period(rule, first)).days // (7 if rule.frequency == "WEEKLY" else 1)


def _length_of_month(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE_DAY).day


def _is_nth(day: date, nth: int) -> bool:
    before, after = (day.day - 1) // 7 + 1, (_length_of_month(day) - day.day) // 7 + 1
    return nth in {0, before} or -nth == after


def _passes(rule: Recurrence, first: date, day: date) -> bool:
    by_day, by_month_day = rule.by_day, rule.by_month_day
    if not by_day and not by_month_day:
        if rule.frequency == "WEEKLY" and day.weekday() != first.weekday():
            return False
        if rule.frequency == "MONTHLY" and day.day != first.day:
            return False
    if by_day and not any(one.weekday == day.weekday() and _is_nth(day, one.nth) for one in by_day):
        return False
    from_end = day.day - _length_of_month(day) - 1
    return not by_month_day or day.day in by_month_day or from_end in by_month_day


def _in_position(rule: Recurrence, first: date, day: date) -> bool:
    if not rule.by_position:
        return True
    begin = _period(rule, day)
    whole = [begin + timedelta(days=number) for number in range(31)]
    inside = [one for one in whole if _period(rule, one) == begin and _passes(rule, first, one)]
    place = inside.index(day)
    return place + 1 in rule.by_position or place - len(inside) in rule.by_position


def oracle(rule: Recurrence, first: date) -> list[date]:
    found: list[date] = []
    day = first
    while day <= LAST and (rule.count is None or len(found) < rule.count):
        in_step = _steps(rule, first, day) % rule.interval == 0
        if isinstance(rule.until, date) and day > rule.until:
            break
        if in_step and _passes(rule, first, day) and _in_position(rule, first, day):
            found.append(day)
        day += ONE_DAY
    return found


@st.composite
def every_rule(draw: st.DrawFn) -> Recurrence:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    nth = st.sampled_from([0, 1, 2, 3, 4, 5, -1, -2]) if frequency == "MONTHLY" else st.just(0)
    by_day = draw(st.lists(st.builds(ByDay, st.integers(0, 6), nth), max_size=3))
    month_days = st.integers(-31, 31).filter(bool)
    by_month_day = draw(st.lists(month_days, max_size=4)) if frequency != "WEEKLY" else []
    positions = st.lists(st.sampled_from([1, 2, 3, -1, -2]), max_size=2)
    by_position = draw(positions) if by_day or by_month_day else []
    count = draw(st.none() | st.integers(1, 40))
    until = draw(st.dates(date(2027, 3, 1), date(2028, 4, 30))) if count is None else None
    return Recurrence(
        frequency=frequency,  # pyright: ignore[reportArgumentType]
        interval=draw(st.integers(1, 5)),
        by_day=tuple(by_day),
        by_month_day=tuple(by_month_day),
        by_position=tuple(by_position),
        count=count,
        until=until,
    )


def _matching(rule: Recurrence, since: date) -> date:
    """The first day that follows the rule, were it the first."""
    days = (since + timedelta(days=number) for number in range(400))
    return next((day for day in days if _passes(rule, day, day) and _in_position(rule, day, day)), since)


@settings(max_examples=150)
@given(rule=every_rule(), since=st.dates(date(2027, 3, 1), date(2027, 6, 30)))
def test_dates_are_those_that_a_look_at_every_day_finds(rule: Recurrence, since: date) -> None:
    first = _matching(rule, since)
    expected = oracle(rule, first)
    assume(expected and len(expected) <= MOST and (rule.count is None or len(expected) == rule.count))
    assert dates(rule, datetime.combine(first, time(9)), PARIS, last=LAST) == expected
    assert recurrence_of(str(rule)) == rule


@settings(max_examples=100)
@given(rule=every_rule(), first=st.dates(date(2027, 3, 1), date(2027, 6, 30)))
def test_first_date_that_does_not_follow_is_told(rule: Recurrence, first: date) -> None:
    assume(not (_passes(rule, first, first) and _in_position(rule, first, first)))
    assume(not isinstance(rule.until, date) or rule.until >= first)
    with pytest.raises(InvalidFields) as caught:
        dates(rule, datetime.combine(first, time(9)), PARIS, last=LAST)
    assert caught.value.errors[0].code == "not_the_first"


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY;INTERVAL=3;COUNT=30",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,MO;COUNT=30",
        "FREQ=MONTHLY;BYDAY=3TH,-1FR;COUNT=20",
        "FREQ=MONTHLY;BYMONTHDAY=18,-1;COUNT=20",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-10,1;COUNT=20",
        "FREQ=MONTHLY;UNTIL=20280301",
    ],
)
def test_a_known_library_says_the_same(rrule: str) -> None:
    first = nine(2027, 3, 18)
    assert dates(recurrence_of(rrule), first, PARIS, last=LAST) == [at.date() for at in rrulestr(rrule, dtstart=first)]


@settings(max_examples=200)
@given(text=st.text(alphabet="FREQ=DAILYWKMONTH;BSUC0123456789,-+ZT:é\x00", max_size=80) | st.text(max_size=600))
def test_whatever_is_sent_is_a_rule_or_told_to_be_none(text: str) -> None:
    with suppress(InvalidFields):
        assert recurrence_of(str(recurrence_of(text))) == recurrence_of(text)


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY;COUNT=366;INTERVAL=999",
        "FREQ=DAILY;BYMONTHDAY=31;BYDAY=MO;BYSETPOS=366;COUNT=2",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=5MO;COUNT=366",
        "FREQ=DAILY;UNTIL=20290501",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2;COUNT=2",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=-1;COUNT=2",
    ],
)
def test_rules_that_hardly_ever_match_are_not_followed_for_long(rrule: str) -> None:
    begun = clock.process_time()
    with pytest.raises(InvalidFields):
        dates(recurrence_of(rrule), nine(2027, 5, 31), PARIS, last=LAST)
    assert clock.process_time() - begun < 0.5


def test_third_thursday_of_each_month() -> None:
    rule = recurrence_of("rrule:freq=monthly;byday=3TH;count=4")
    found = dates(rule, nine(2027, 3, 18), PARIS, last=LAST)
    assert found == [date(2027, 3, 18), date(2027, 4, 15), date(2027, 5, 20), date(2027, 6, 17)]


def test_months_without_a_31st_are_passed_over() -> None:
    found = dates(recurrence_of("FREQ=MONTHLY;COUNT=3"), nine(2027, 3, 31), PARIS, last=LAST)
    assert found == [date(2027, 3, 31), date(2027, 5, 31), date(2027, 7, 31)]


@pytest.mark.parametrize(
    ("until", "count"), [("20270319", 2), ("20270319T080000Z", 2), ("20270319T075959Z", 1), ("20270319T090000", 2)]
)
def test_until_is_a_day_or_a_wall_time_or_an_instant(until: str, count: int) -> None:
    rule = recurrence_of(f"FREQ=DAILY;UNTIL={until}")
    assert len(dates(rule, nine(2027, 3, 18), PARIS, last=LAST)) == count
    assert recurrence_of(str(rule)) == rule


# Occurrences in the weeks in which clocks change (28 March and 31 October 2027).

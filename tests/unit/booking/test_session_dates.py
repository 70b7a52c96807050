"""The dates of a series: third Thursdays, clock changes, rules without end."""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.booking.domain.session_dates import MOST_SESSIONS, starts_of
from services.chassis.problems import InvalidFields

PARIS = ZoneInfo("Europe/Paris")
WEEKDAYS = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
COUNTED = st.sampled_from([1, 2, 3, 4, 5, -1, -2, -5])
FIRST = datetime(2031, 1, 16, 9, tzinfo=PARIS)


def days(rule: str, *without: date, first: datetime = FIRST) -> list[date]:
    return [start.astimezone(PARIS).date() for start in starts_of(rule, first, PARIS, without=without)]


def test_the_third_thursday_keeps_its_hour_over_the_clock_change() -> None:
    starts = starts_of("FREQ=MONTHLY;BYDAY=3TH;COUNT=4", FIRST, PARIS)
    assert [start.astimezone(PARIS) for start in starts] == [
        datetime(2031, month, day, 9, tzinfo=PARIS) for month, day in ((1, 16), (2, 20), (3, 20), (4, 17))
    ]
    assert [start.hour for start in starts] == [8, 8, 8, 7]
    assert all(start.tzinfo is UTC for start in starts)


def test_a_day_that_falls_away_counts() -> None:
    rule = "FREQ=MONTHLY;BYDAY=3TH;COUNT=3"
    assert days(rule, date(2031, 2, 20)) == [date(2031, 1, 16), date(2031, 3, 20)]


@pytest.mark.parametrize("until", ["20310325", "20310325T235959", "20310325T225959Z"])
def test_until_is_read_in_each_of_its_forms(until: str) -> None:
    found = days(f"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL={until}")
    assert (found[0], found[-1], len(found)) == (date(2031, 1, 28), date(2031, 3, 25), 5)


def test_an_hour_that_does_not_exist_comes_an_hour_later() -> None:
    first = datetime(2031, 3, 29, 2, 30, tzinfo=PARIS)
    starts = starts_of("FREQ=DAILY;COUNT=2", first, PARIS)
    assert starts[1] == datetime(2031, 3, 30, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=SECONDLY;COUNT=2", "FREQ=MONTHLY", "FREQ=DAILY;COUNT=1000000", "FREQ=DAILY;UNTIL=20991231",
     "FREQ=MONTHLY;BYDAY=9TH;COUNT=2", "COUNT=3", "FREQ=DAILY;COUNT=2;COUNT=3", "FREQ=DAILY;COUNT=2;UNTIL=20310401",
     "FREQ=DAILY;COUNT=2\nX:Y", "FREQ=DAILY;INTERVAL=99999;COUNT=2", "FREQ=DAILY;UNTIL=20311399", "BYEASTER=1;COUNT=2",
     "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", "FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=2",
     "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;COUNT=2", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2;COUNT=2",
     "FREQ=WEEKLY;BYDAY=2MO;COUNT=2", "FREQ=MONTHLY;COUNT=50",
     "FREQ=DAILY;UNTIL=09990101", "FREQ=YEARLY;UNTIL=20400101", "FREQ=MONTHLY;COUNT=500",
     "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20;COUNT=2"],
)  # fmt: skip
def test_rules_without_end_sense_or_measure_are_refused_at_once(rule: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidFields):
        days(rule)
    assert time.process_time() - began < 0.3


@given(
    rule=st.one_of(
        st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 52)),
        st.builds("FREQ=WEEKLY;INTERVAL={};BYDAY={}".format, st.integers(1, 52), WEEKDAYS),
        st.builds("FREQ=MONTHLY;INTERVAL={};BYDAY={}{}".format, st.integers(1, 52), COUNTED, WEEKDAYS),
        st.builds("FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={}".format, st.integers(1, 52), st.integers(1, 28)),
        st.builds("FREQ=YEARLY;INTERVAL={}".format, st.integers(1, 52)),
    ),
    day=st.dates(date(2030, 1, 1), date(2033, 12, 31)),
)
def test_every_rule_that_is_understood_is_expanded_at_once(rule: str, day: date) -> None:
    first = datetime(day.year, day.month, day.day, 9, tzinfo=PARIS)
    began = time.process_time()
    try:
        found = days(f"{rule};COUNT=3", first=first)
    except InvalidFields:
        found = []
    assert time.process_time() - began < 0.3
    assert all(one >= day for one in found)
    assert found == sorted(set(found))


def test_as_many_as_are_allowed() -> None:
    assert len(days(f"FREQ=WEEKLY;COUNT={MOST_SESSIONS}")) == MOST_SESSIONS

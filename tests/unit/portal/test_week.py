from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.portal.week import lay_out

PARIS = ZoneInfo("Europe/Paris")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def span(day: str, begins: str, ends: str) -> dict[str, str]:
    start, end = (datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=PARIS) for clock in (begins, ends))
    return {"start": start.astimezone(UTC).isoformat(), "end": end.astimezone(UTC).isoformat()}


def availability(*days: dict[str, Any], step: int = 60) -> dict[str, Any]:
    return {"time_zone": "Europe/Paris", "step_minutes": step, "days": list(days)}


def day(name: str, opened: tuple[str, str], *free: tuple[str, str]) -> dict[str, Any]:
    return {"date": name, "open": [span(name, *opened)], "free": [span(name, *one) for one in free]}


def states(found: Any, column: int = 0) -> dict[int, str]:
    return {begins // 60: cells[column].state for begins, cells in found.rows}


def test_cells_say_free_taken_and_closed() -> None:
    given_days = availability(
        day("2026-03-19", ("09:00", "13:00"), ("09:00", "10:00"), ("12:00", "13:00")),
        day("2026-03-20", ("10:00", "12:00"), ("10:00", "12:00")),
    )
    week = lay_out(given_days, minimum_minutes=60, now=LONG_AGO)
    assert states(week) == {9: "free", 10: "busy", 11: "busy", 12: "free"}
    assert states(week, 1) == {9: "closed", 10: "free", 11: "free", 12: "closed"}


def test_a_choice_is_as_long_as_a_booking_must_be() -> None:
    week = lay_out(
        availability(day("2026-03-19", ("09:00", "12:00"), ("09:00", "12:00")), step=30),
        minimum_minutes=120,
        now=LONG_AGO,
    )
    picks = [datetime.fromisoformat(end) - datetime.fromisoformat(start)
             for _, cells in week.rows for start, end in [str(cells[0].pick).split("/")]]  # fmt: skip
    assert set(picks) == {timedelta(hours=2)}


def test_what_is_too_short_is_not_offered() -> None:
    days = availability(day("2026-03-19", ("09:00", "12:00"), ("10:00", "11:00")))
    assert states(lay_out(days, minimum_minutes=120, now=LONG_AGO)) == {9: "busy", 10: "part", 11: "busy"}


def test_the_past_is_not_offered() -> None:
    now = datetime(2026, 3, 19, 10, 30, tzinfo=PARIS)
    week = lay_out(availability(day("2026-03-19", ("09:00", "12:00"), ("09:00", "12:00"))), minimum_minutes=60, now=now)
    assert states(week) == {9: "past", 10: "past", 11: "free"}


def test_many_steps_share_a_row() -> None:
    week = lay_out(
        availability(day("2026-03-19", ("00:00", "23:00"), ("00:00", "23:00")), step=15),
        minimum_minutes=15,
        now=LONG_AGO,
    )
    assert week.row_minutes == 60
    assert len(week.rows) == 23


def test_no_opening_at_all_is_an_empty_table() -> None:
    week = lay_out(availability({"date": "2026-03-19", "open": [], "free": []}), minimum_minutes=60, now=LONG_AGO)
    assert week.rows == []
    assert not week.has_free


def test_a_cell_says_the_fewest_that_are_left_during_what_it_offers() -> None:
    left = [{**span("2026-03-19", "09:00", "09:30"), "left": 4}, {**span("2026-03-19", "09:30", "10:00"), "left": 2}]
    one_day = day("2026-03-19", ("09:00", "12:00"), ("09:00", "12:00")) | {"left": left}
    week = lay_out(availability(one_day) | {"capacity": 7}, minimum_minutes=60, now=LONG_AGO)
    assert [cells[0].left for _, cells in week.rows] == [2, 7, 7]


@given(day=st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)]), opens=st.integers(0, 22))
def test_what_is_offered_lies_in_free_time_on_days_of_clock_changes(day: date, opens: int) -> None:
    begin = datetime(day.year, day.month, day.day, opens, tzinfo=PARIS)
    end = datetime(day.year, day.month, day.day, 23, tzinfo=PARIS)
    free = {"start": begin.astimezone(UTC).isoformat(), "end": end.astimezone(UTC).isoformat()}
    week = lay_out(
        availability({"date": day.isoformat(), "open": [free], "free": [free]}), minimum_minutes=60, now=LONG_AGO
    )
    for _, cells in week.rows:
        if cells[0].pick:
            start, stop = (datetime.fromisoformat(one) for one in cells[0].pick.split("/"))
            assert begin <= start < stop <= end
            assert stop - start >= timedelta(hours=1)

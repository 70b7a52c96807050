"""What we write of clock changes, read by three readers: the RFC's own arithmetic, icalendar, and dateutil."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from icalendar import Calendar

from services.chassis.time_zones import time_zone, time_zones, wall

SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
ZONES = ["Europe/Paris", "Europe/Brussels", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca"]


def instants_of_onsets(written: Any) -> set[datetime]:
    """DTSTART and its rule or list, less TZOFFSETFROM: how the RFC counts onsets."""
    found: set[datetime] = set()
    for part in written.subcomponents:
        walls = [part["DTSTART"].dt]
        if "RRULE" in part:
            rule = part["RRULE"].to_ical().decode()
            walls = list(rrulestr(rule, dtstart=walls[0]).between(datetime(2024, 1, 1), datetime(2029, 1, 1)))  # noqa: DTZ001 - wall times
        listed = part.get("RDATE", [])
        for dates in listed if isinstance(listed, list) else [listed]:
            walls += [one.dt for one in dates.dts]
        found |= {(one - part["TZOFFSETFROM"].td).replace(tzinfo=UTC) for one in walls}
    return found


def test_the_last_sundays_of_march_and_october_are_where_the_rfc_looks_for_them() -> None:
    written = Calendar.from_ical(time_zone("Europe/Paris", 2026, 2026).to_ical())
    onsets = instants_of_onsets(written)
    assert {at for at in onsets if at.year == 2026} == {SPRING, AUTUMN}
    parts: dict[str, Any] = {str(part.name): part for part in written.subcomponents}
    assert parts["DAYLIGHT"]["DTSTART"].dt.hour == 2
    assert parts["DAYLIGHT"]["RRULE"].to_ical() == b"FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"
    assert parts["STANDARD"]["RRULE"].to_ical() == b"FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"


@pytest.mark.parametrize("name", ZONES)
def test_two_other_parsers_read_the_same_clocks(name: str) -> None:
    written = time_zone(name, 2026, 2026)
    text = written.to_ical().decode()
    read: Any = Calendar.from_ical(text)
    dateutil: Any = tzical(io.StringIO(text.replace("\r\n", "\n")))
    readers = {"dateutil": dateutil.get(), "icalendar": read.to_tz()}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at.year == 2026:
        local = at.astimezone(ZoneInfo(name))
        if not local.fold:
            for reader, clocks in readers.items():
                assert local.replace(tzinfo=clocks).utcoffset() == local.utcoffset(), (reader, local)
        at += timedelta(minutes=30)


@pytest.mark.parametrize("minutes", [-60, -30, 0, 30, 59])
def test_the_hour_that_clocks_show_twice_is_written_in_utc(minutes: int) -> None:
    at = AUTUMN + timedelta(minutes=minutes)
    assert wall(at, "Europe/Paris").tzinfo == UTC
    assert wall(at, "Europe/Paris") == at


@pytest.mark.parametrize("at", [AUTUMN - timedelta(minutes=61), AUTUMN + timedelta(hours=1), SPRING])
def test_every_other_hour_is_written_by_local_clocks(at: datetime) -> None:
    assert wall(at, "Europe/Paris").tzinfo == ZoneInfo("Europe/Paris")
    assert wall(at, "Europe/Paris") == at


def test_zones_are_written_once_each_and_utc_never() -> None:
    walls = [wall(SPRING, name) for name in ("Europe/Paris", "Europe/Paris", "UTC", "No/Where", "America/Guadeloupe")]
    assert [str(one["TZID"]) for one in time_zones(walls)] == ["America/Guadeloupe", "Europe/Paris"]


def test_zones_without_clock_changes_have_one_clock() -> None:
    [part] = time_zone("America/Guadeloupe", 2026, 2027).subcomponents
    assert part.name == "STANDARD"

"""What a member's calendar elsewhere blocks, and that no calendar however strange takes us along."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.booking import calendar_reader
from services.booking.calendar_reader import busy_apart
from services.booking.domain.external import (
    AHEAD,
    MOST_TIMES,
    Busy,
    CalendarTooHeavy,
    CalendarUnreadable,
    busy_times,
)
from services.booking.domain.reading import next_reading
from services.booking.domain.spans import Span
from tests.unit.booking.calendars import calendar, event

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROMANCE = """BEGIN:VTIMEZONE
TZID:Heures du bureau
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def read(*parts: str, now: datetime = NOW) -> Busy:
    return busy_times(calendar(*parts), zone=PARIS, now=now, own="lille")


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC)


def span(start: str, end: str) -> Span:
    return Span(utc(start), utc(end))


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (":20260302T090000Z", ":20260302T100000Z", span("20260302T0900", "20260302T1000")),
        (";TZID=Europe/Paris:20260302T090000", ";TZID=Europe/Paris:20260302T100000",
         span("20260302T0800", "20260302T0900")),
        (";TZID=Romance Standard Time:20260702T090000", ";TZID=Romance Standard Time:20260702T100000",
         span("20260702T0700", "20260702T0800")),
        (":20260302T090000", ":20260302T100000", span("20260302T0800", "20260302T0900")),
        (";VALUE=DATE:20260302", ";VALUE=DATE:20260304", span("20260301T2300", "20260303T2300")),
        (";VALUE=DATE:20260329", "", span("20260328T2300", "20260329T2200")),
        (";VALUE=DATE:20261025", "", span("20261024T2200", "20261025T2300")),
    ],
    ids=["utc", "zone", "windows-zone", "floating", "days", "the-short-day", "the-long-day"],
)  # fmt: skip
def test_times_are_read_in_their_zone(start: str, end: str, found: Span) -> None:
    assert read(event(start, end)).spans == [found]


def test_a_zone_of_the_calendars_own_is_understood() -> None:
    own = ";TZID=Heures du bureau:"
    assert read(ROMANCE, event(f"{own}20260702T090000", f"{own}20260702T100000")).spans == [
        span("20260702T0700", "20260702T0800")
    ]


def test_a_duration_stands_for_an_end() -> None:
    assert read(event(":20260302T090000Z", "", "DURATION:PT90M")).spans == [span("20260302T0900", "20260302T1030")]


def test_a_weekly_series_keeps_its_wall_time_over_the_clock_change() -> None:
    weekly = event(
        ";TZID=Europe/Paris:20260322T090000", ";TZID=Europe/Paris:20260322T100000", "RRULE:FREQ=WEEKLY;COUNT=3"
    )
    assert [one.start for one in read(weekly).spans] == [
        utc("20260322T0800"),
        utc("20260329T0700"),
        utc("20260405T0700"),
    ]


def test_exceptions_and_moved_occurrences_count_as_they_are() -> None:
    series = event(
        ";TZID=Europe/Paris:20260302T090000",
        ";TZID=Europe/Paris:20260302T100000",
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Paris:20260303T090000",
    )
    moved = event(
        ";TZID=Europe/Paris:20260304T150000",
        ";TZID=Europe/Paris:20260304T160000",
        "RECURRENCE-ID;TZID=Europe/Paris:20260304T090000",
    )
    called_off = event(
        ";TZID=Europe/Paris:20260305T090000",
        ";TZID=Europe/Paris:20260305T100000",
        "RECURRENCE-ID;TZID=Europe/Paris:20260305T090000",
        "STATUS:CANCELLED",
    )
    starts = [one.start for one in read(series, moved, called_off).spans]
    assert starts == [utc("20260302T0800"), utc("20260304T1400"), utc("20260306T0800")]


def test_an_occurrence_moved_into_the_far_past_blocks_its_old_time_no_more() -> None:
    series = event(":20260302T090000Z", ":20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=2")
    moved = event(":20200302T090000Z", ":20200302T100000Z", "RECURRENCE-ID:20260303T090000Z")
    assert read(series, moved).spans == [span("20260302T0900", "20260302T1000")]


@pytest.mark.parametrize(
    "line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", "transp:transparent", "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=XX"]
)
def test_what_is_free_called_off_or_nonsense_blocks_nothing(line: str) -> None:
    assert read(event(":20260302T090000Z", ":20260302T100000Z", line)).spans == []


def test_what_is_tentative_blocks() -> None:
    assert len(read(event(":20260302T090000Z", ":20260302T100000Z", "STATUS:TENTATIVE")).spans) == 1


def test_our_own_bookings_that_came_by_mail_block_nothing() -> None:
    ours = "01890000-0000-7000-8000-000000000001@lille"
    assert read(event(":20260302T090000Z", ":20260302T100000Z", uid=ours)).spans == []
    assert len(read(event(":20260302T090000Z", ":20260302T100000Z", uid=ours.replace("lille", "namur"))).spans) == 1


def test_only_what_is_near_is_read_and_overlaps_become_one() -> None:
    busy = read(
        event(":20200101T090000Z", ":20200101T100000Z", uid="old"),
        event(":20300101T090000Z", ":20300101T100000Z", uid="far"),
        event(":20260302T090000Z", ":20260302T110000Z", uid="a"),
        event(":20260302T100000Z", ":20260302T120000Z", uid="b"),
        event(":20260302T090000Z", "", uid="a moment"),
        event(":20000101T000000Z", ":20260301T140000Z", "RRULE:FREQ=YEARLY;COUNT=1", uid="since for ever"),
    )
    assert busy.count == 3
    assert busy.spans == [Span(NOW - timedelta(days=1), utc("20260301T1400")), span("20260302T0900", "20260302T1200")]


def test_an_endless_series_ends_with_the_window() -> None:
    busy = read(event(":20100101T090000Z", ":20100101T100000Z", "RRULE:FREQ=DAILY"))
    assert busy.count in {400, 401}
    assert not busy.cut
    assert busy.spans[-1].end <= NOW + AHEAD


def test_of_too_many_times_the_soonest_count() -> None:
    busy = read(
        event(":20260101T000000Z", ":20260101T001000Z", "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))))
    )
    assert busy.count == MOST_TIMES
    assert busy.cut
    assert busy.spans[0].start < NOW
    assert busy.spans[-1].start < NOW + timedelta(days=MOST_TIMES / 24 + 2)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello", b"<html>no</html>", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        b"BEGIN:VCALENDAR\r\n", b"\xff\xfe\x00",
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(CalendarUnreadable):
        busy_times(content, zone=PARIS, now=NOW, own="lille")


@given(content=st.binary(max_size=300), line=st.text(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes, line: str) -> None:
    for given_bytes in (content, calendar(event(":20260302T090000Z", ":20260302T100000Z", line)) + content):
        with contextlib.suppress(CalendarUnreadable, CalendarTooHeavy):
            busy_times(given_bytes, zone=PARIS, now=NOW, own="lille")


@pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY", "secondly"])
def test_repetitions_by_the_second_are_refused_at_once(frequency: str) -> None:
    began = time.thread_time()  # whatever others do on this machine
    with pytest.raises(CalendarTooHeavy):
        read(event(":19700101T000000Z", ":19700101T000001Z", f"RRULE:FREQ={frequency}"))
    assert time.thread_time() - began < 5


HOSTILE = {
    "hours-since-1970": [
        event(":19700101T000000Z", "", "DURATION:PT1M", "RRULE:FREQ=HOURLY", uid=str(n)) for n in range(500)
    ],
    "days-that-never-come": [
        event(":19700101T000000Z", "", "DURATION:PT1M", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", uid=str(n))
        for n in range(500)
    ],
    "every-second-of-a-day": [
        event(":20260101T000000Z", "", "DURATION:PT1S", "RRULE:FREQ=DAILY;BYSECOND="
              + ",".join(map(str, range(60))) + ";BYMINUTE=" + ",".join(map(str, range(60)))
              + ";BYHOUR=" + ",".join(map(str, range(24))), uid=str(n))
        for n in range(50)
    ],
    "boxes-in-boxes": ["BEGIN:VEVENT\n" * 50_000 + "END:VEVENT\n" * 50_000],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(300)
async def test_a_hostile_calendar_ends_and_its_process_with_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_reader, "CPU_SECONDS", 2)
    found = await busy_apart(calendar(*HOSTILE[name]), zone="Europe/Paris", now=NOW, own="lille")
    assert found == "too_heavy" or (name == "boxes-in-boxes" and isinstance(found, Busy) and found.spans == [])


async def test_a_calendar_read_apart_is_read_the_same() -> None:
    content = calendar(event(":20260302T090000Z", ":20260302T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3"))
    assert await busy_apart(content, zone="Europe/Paris", now=NOW, own="lille") == busy_times(
        content, zone=PARIS, now=NOW, own="lille"
    )
    assert await busy_apart(b"no", zone="Europe/Paris", now=NOW, own="lille") == "unreadable"


async def test_a_reader_that_is_cancelled_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    content = calendar(*HOSTILE["hours-since-1970"])
    reading = asyncio.create_task(busy_apart(content, zone="Europe/Paris", now=NOW, own="lille"))
    await asyncio.sleep(0.3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


def test_it_is_read_again_later_and_later_after_failures() -> None:
    minutes = [next_reading(failures, minutes=30, jitter=0.5).total_seconds() / 60 for failures in (0, 1, 2, 3, 8, 500)]
    assert minutes == [30, 10, 20, 40, 1280, 1440]
    spread = {next_reading(0, minutes=30, jitter=jitter).total_seconds() / 60 for jitter in (0, 1)}
    assert spread == {27, 33}

"""A member's calendar elsewhere: which times of it are busy. Nothing of it is kept but these times.

What this reads was written by anybody: it is only called where time and memory are bounded (`calendar_worker.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.prop import vBroken

from services.booking.domain.opening import local_midnight
from services.booking.domain.spans import Span, clipped, merged

AHEAD = timedelta(days=400)
"""How far ahead busy times are looked for."""
BEHIND = timedelta(days=1)
MOST_TIMES = 5000
_MOST_OCCURRENCES = 50_000
_STEP = timedelta(days=50)
_LONGEST = timedelta(days=400)
_A_DAY = timedelta(days=1)
_TIMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_NEVER = ("SECONDLY", "MINUTELY")
_ANY = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
"""What the libraries raise over strange calendars."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class CalendarUnreadable(ValueError):
    """This is no iCalendar (RFC 5545)."""


class CalendarTooHeavy(ValueError):
    """Its repetitions are more than anybody's appointments."""


@dataclass(frozen=True, kw_only=True)
class Busy:
    """`spans`: merged, sorted, UTC. `count`: how many appointments; `cut`: whether there were more than are read."""

    spans: list[Span]
    count: int
    cut: bool


def busy_times(content: bytes, *, zone: ZoneInfo, now: datetime, own: str) -> Busy:
    """When the owner of the calendar `content` is busy, from yesterday until 400 days after `now`.

    Floating times and whole days are those of `zone`. Appointments that are cancelled or marked as free do not count,
    nor do those whose UID ends in `@<own>`: these are our own bookings, as our mails have put them there.
    Raises CalendarUnreadable, CalendarTooHeavy.
    """
    window = Span(now - BEHIND, now + AHEAD)
    found: set[Span] = set()
    for span in _spans(_read(content), zone, window, own):
        found.add(span)
        if len(found) > MOST_TIMES:
            break
    kept = sorted(found)[:MOST_TIMES]
    return Busy(spans=merged(clipped(kept, window)), count=len(kept), cut=len(found) > MOST_TIMES)


def _read(content: bytes) -> list[Any]:
    try:
        calendars: list[Any] = list(Calendar.from_ical(content.removeprefix(b"\xef\xbb\xbf"), multiple=True))
    except _ANY as error:
        raise CalendarUnreadable from error
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise CalendarUnreadable
    return calendars


def _spans(calendars: list[Any], zone: ZoneInfo, window: Span, own: str) -> Iterator[Span]:
    """The busy spans that touch `window`, roughly in order: step by step, so that the soonest come first."""
    ours = re.compile(rf"[0-9a-f-]{{36}}@{re.escape(own)}", re.IGNORECASE)
    series = [_series_of(calendar, window) for calendar in calendars]
    start, seen = window.start - _A_DAY, 0
    while start < window.end + _A_DAY:
        for event in chain.from_iterable(one.between(start, start + _STEP) for one in series):
            seen += 1
            if seen > _MOST_OCCURRENCES:
                raise CalendarTooHeavy
            span = _span_of(event, zone) if _blocks(event, ours) else None
            if span is not None and span.overlaps(window):
                yield span
        start += _STEP


class _Query(recurring_ical_events.CalendarQuery):
    """Leaves out a series that cannot be computed, for whatever reason, instead of the whole calendar."""

    suppressed_errors: ClassVar[Any] = list(_ANY)


def _series_of(calendar: Any, window: Span) -> Any:
    """The events of `calendar` as series. Those that are long over are left out: most of an old calendar is."""
    calendar.subcomponents = [one for one in calendar.subcomponents if _counts(one, window)]
    for event in calendar.walk("VEVENT"):
        for rule in _all(event, "RRULE"):
            if any(str(frequency).upper() in _NEVER for frequency in rule.get("FREQ", [])):
                raise CalendarTooHeavy
    try:
        return recurring_ical_events.of(calendar, skip_bad_series=True, calendar_query=_Query)
    except _ANY as error:
        raise CalendarUnreadable from error


def _counts(component: Any, window: Span) -> bool:
    """Whether a part of a calendar may block something: whole, and no single event that began more than 400 days ago.

    An occurrence that was moved counts even so: it stands for the time from which it was moved.
    """
    if component.name != "VEVENT":
        return component.name == "VTIMEZONE"
    if "DTSTART" not in component or any(
        isinstance(value, vBroken) for name in _TIMES for value in _all(component, name)
    ):
        return False
    if {"RRULE", "RDATE", "RECURRENCE-ID"} & set(component):
        return True
    start: Any = getattr(component["DTSTART"], "dt", None)
    return isinstance(start, date) and date(start.year, start.month, start.day) >= (window.start - _LONGEST).date()


def _all(component: Any, name: str) -> list[Any]:
    """The values of a property, which may come once, more often, or not at all."""
    value = component.get(name, [])
    return value if isinstance(value, list) else [value]


def _blocks(event: Any, ours: re.Pattern[str]) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return False
    return ours.fullmatch(str(event.get("UID", ""))) is None


def _span_of(event: Any, zone: ZoneInfo) -> Span | None:
    """From when to when; None for a moment without duration, and for years that nobody computes with."""
    first, last = event["DTSTART"].dt, event["DTEND"].dt
    if not (first.year > _FIRST_YEAR and last.year < _LAST_YEAR):
        return None
    start, end = _instant(first, zone), _instant(last, zone)
    return Span(start, end) if start < end else None


def _instant(at: date, zone: ZoneInfo) -> datetime:
    if not isinstance(at, datetime):
        return local_midnight(at, zone)
    return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)

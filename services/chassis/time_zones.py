"""The clock changes of a zone as iCalendar writes them (VTIMEZONE, RFC 5545 section 3.6.5).

Made here because icalendar 7.3 writes the onset in spring by the clock *after* the change; the RFC counts it by the
clock before (TZOFFSETFROM), and programs that compute the onset's instant would move the hour after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_DAY, _WEEK, _SECOND = timedelta(days=1), timedelta(days=7), timedelta(seconds=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class _Clock:
    """What clocks are set to: their offset, whether it is summer time, and the name of that."""

    offset: timedelta
    is_summer: bool
    name: str


@dataclass(frozen=True)
class _Change:
    """A clock change. `onset`: what clocks show as it comes, before they change."""

    onset: datetime
    before: timedelta
    after: _Clock


def zone(name: str) -> ZoneInfo:
    """The IANA zone `name`; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def time_zones(walls: Iterable[datetime]) -> list[Timezone]:
    """A VTIMEZONE for each zone in `walls` (datetimes in ZoneInfo zones; UTC needs none)."""
    years: dict[str, set[int]] = {}
    for wall in walls:
        if isinstance(wall.tzinfo, ZoneInfo):
            years.setdefault(str(wall.tzinfo), set()).add(wall.year)
    return [time_zone(name, min(of), max(of)) for name, of in sorted(years.items()) if name != "UTC"]


def wall(at: datetime, name: str) -> datetime:
    """The instant `at` by the clocks of the zone `name`; in UTC for the hour that clocks show twice.

    RFC 5545 section 3.3.5 says which of the two a local time means, but not every program does it.
    """
    local = at.astimezone(zone(name))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return at.astimezone(UTC) if twice or str(local.tzinfo) == "UTC" else local


def time_zone(name: str, first_year: int, last_year: int) -> Timezone:
    """The VTIMEZONE of the zone `name`, good from the beginning of `first_year` to the end of `last_year`."""
    clocks = ZoneInfo(name)
    begin, end = date(first_year - 1, 1, 1), date(last_year + 3, 1, 1)
    made = Timezone()
    made.add("tzid", name)
    start = _clock_at(datetime(begin.year, 1, 1, tzinfo=UTC), clocks)
    made.add_component(_part(start, start.offset, [datetime(begin.year, 1, 1)]))  # noqa: DTZ001 - a wall time
    alike: dict[tuple[timedelta, _Clock], list[datetime]] = {}
    for change in _changes(name, begin, end):
        alike.setdefault((change.before, change.after), []).append(change.onset)
    for (before, after), onsets in alike.items():
        made.add_component(_part(after, before, onsets))
    return made


def _part(after: _Clock, before: timedelta, onsets: list[datetime]) -> TimezoneStandard | TimezoneDaylight:
    part = TimezoneDaylight() if after.is_summer else TimezoneStandard()
    part.add("tzname", after.name)
    part.add("tzoffsetfrom", before)
    part.add("tzoffsetto", after.offset)
    part.add("dtstart", onsets[0])
    rule = _yearly_rule(onsets)
    if rule is not None:
        part.add("rrule", rule)
    else:
        for onset in onsets[1:]:
            part.add("rdate", onset)
    return part


def _yearly_rule(onsets: list[datetime]) -> vRecur | None:
    """The rule when they come on the same last (or nth) weekday of a month, every year: some programs know no list."""
    first = onsets[0]
    if len(onsets) < 3 or [onset.year for onset in onsets] != list(range(first.year, first.year + len(onsets))):  # noqa: PLR2004 - twice may be chance
        return None
    if len({(onset.month, onset.weekday(), onset.time()) for onset in onsets}) > 1:
        return None
    numbers = {-1} if all(map(_is_last, onsets)) else {(onset.day - 1) // 7 + 1 for onset in onsets}
    if len(numbers) > 1:
        return None
    weekday = f"{numbers.pop()}{_WEEKDAYS[first.weekday()]}"
    return vRecur({"FREQ": "YEARLY", "BYMONTH": first.month, "BYDAY": weekday})


def _is_last(onset: datetime) -> bool:
    return (onset + _WEEK).month != onset.month


@lru_cache(maxsize=256)
def _changes(name: str, begin: date, end: date) -> tuple[_Change, ...]:
    clocks = ZoneInfo(name)
    found: list[_Change] = []
    at = datetime(begin.year, begin.month, begin.day, tzinfo=UTC)
    until = datetime(end.year, end.month, end.day, tzinfo=UTC)
    before = _clock_at(at, clocks)
    while at < until:
        after = _clock_at(at + _DAY, clocks)
        if after != before:
            instant = _moment(at, at + _DAY, clocks)
            found.append(_Change((instant + before.offset).replace(tzinfo=None), before.offset, after))
            before = after
        at += _DAY
    return tuple(found)


def _moment(before: datetime, after: datetime, clocks: ZoneInfo) -> datetime:
    """The first second, in (before, after], of the clock that is there at `after`."""
    new = _clock_at(after, clocks)
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _clock_at(middle, clocks) == new:
            after = middle
        else:
            before = middle
    return after


def _clock_at(at: datetime, clocks: ZoneInfo) -> _Clock:
    local = at.astimezone(clocks)
    summer = (local.dst() or timedelta()) > timedelta()
    return _Clock(local.utcoffset() or timedelta(), summer, local.tzname() or "")

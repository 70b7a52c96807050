"""Opening hours in a resource's own zone, as instants; the weeks in which clocks change included.

The hours of a day are those of the season that it lies in, else the week's; none on closed days and public holidays.

Open means: from the first instant at which the wall clock shows `opens` (or has jumped past it) to the last instant
at which it shows `closes`. So a night that has an hour twice is open for both, and an hour that does not exist is
not open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from services.booking.domain.holiday_calendar import public_holidays
from services.booking.domain.spans import Span, merged

MINUTES_A_DAY = 24 * 60
_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, order=True)
class Hours:
    """Open on `weekday` (0 Monday) from `opens` to `closes`, minutes since local midnight (1440: its end)."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, kw_only=True)
class Season:
    """Hours of its own from one day of the year to another, (month, day) both included; may span the new year."""

    begins: tuple[int, int]
    ends: tuple[int, int]
    hours: tuple[Hours, ...]

    def covers(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.begins <= self.ends:
            return self.begins <= at <= self.ends
        return at >= self.begins or at <= self.ends


@dataclass(frozen=True, kw_only=True)
class Closure:
    """Closed from the local day `first` to `last`, both included."""

    first: date
    last: date
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class OpeningCalendar:
    """When a resource is open: the week's hours, seasons with hours of their own, closures and public holidays.

    `holidays`: a country of ISO 3166-1, or a part of it of ISO 3166-2 ("FR", "FR-57", "BE"), whose public holidays
    are closed; None: open on them.
    """

    weekly: tuple[Hours, ...]
    seasons: tuple[Season, ...] = ()
    closures: tuple[Closure, ...] = ()
    holidays: str | None = None

    def hours_on(self, day: date) -> tuple[Hours, ...]:
        """The hours of that local day, in order; the first season that covers it wins."""
        if self.is_closed_on(day):
            return ()
        hours = next((season.hours for season in self.seasons if season.covers(day)), self.weekly)
        return tuple(each for each in hours if each.weekday == day.weekday())

    def is_closed_on(self, day: date) -> bool:
        """Whether a closure or a public holiday closes the whole day."""
        if any(closure.first <= day <= closure.last for closure in self.closures):
            return True
        return self.holidays is not None and day in public_holidays(self.holidays, day.year)


def is_zone(name: str) -> bool:
    """Whether `name` is a zone of the IANA database."""
    return name in available_timezones()


def minutes_of(wall: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is 1440. Raises ValueError."""
    if wall == "24:00":
        return MINUTES_A_DAY
    parsed = time.fromisoformat(wall)
    return parsed.hour * 60 + parsed.minute


def wall_of(minutes: int) -> str:
    """Minutes since midnight as "HH:MM"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def open_spans(week: OpeningCalendar, zone: ZoneInfo, window: Span) -> tuple[Span, ...]:
    """When it is open on the local days that `window` touches (and one on each side); merged over midnight."""
    return _open_on(week, zone, *_first_and_last(window, zone))


@lru_cache(maxsize=1000)
def _open_on(week: OpeningCalendar, zone: ZoneInfo, first: date, last: date) -> tuple[Span, ...]:
    spans: list[Span] = []
    for day in _from_to(first, last):
        for each in week.hours_on(day):
            start = instant(day, each.opens, zone)
            spans.append(Span(start, instant(day, each.closes, zone, last=True)))
    return tuple(merged(spans))


def is_on_grid(week: OpeningCalendar, zone: ZoneInfo, step_minutes: int, at: datetime) -> bool:
    """Whether the wall clock at `at` shows an opening time plus a whole number of steps."""
    wall = at.astimezone(zone)
    if wall.second or wall.microsecond:
        return False
    minutes = wall.hour * 60 + wall.minute
    today = [(minutes, wall.date())]
    if minutes == 0:  # midnight is also the end of the day before
        today.append((MINUTES_A_DAY, wall.date() - _ONE_DAY))
    return any(
        each.opens <= minute <= each.closes and (minute - each.opens) % step_minutes == 0
        for minute, day in today
        for each in week.hours_on(day)
    )


def grid(week: OpeningCalendar, zone: ZoneInfo, step_minutes: int, window: Span) -> Iterator[datetime]:
    """The instants within `window` (its end included) at which a booking may begin, in order for each day."""
    for day in _days(window, zone):
        yield from (at for at in _grid_on(week, zone, step_minutes, day) if window.start <= at <= window.end)


@lru_cache(maxsize=500)
def _grid_on(week: OpeningCalendar, zone: ZoneInfo, step_minutes: int, day: date) -> tuple[datetime, ...]:
    minutes = (minute for each in week.hours_on(day) for minute in range(each.opens, each.closes, step_minutes))
    return tuple(at for minute in minutes for at in sorted(_instants(day, minute, zone)))


@lru_cache(maxsize=100_000)
def instant(day: date, minutes: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The first (or `last`) instant at which clocks in `zone` show that wall time; after a jump over it, the jump."""
    wall = _wall(day, minutes)
    found = _instants(day, minutes, zone)
    if found:
        return max(found) if last else min(found)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)  # read with the offset before the jump: after it
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _jump_between(before, after, zone)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`, UTC."""
    return instant(day, 0, zone)


def _instants(day: date, minutes: int, zone: ZoneInfo) -> set[datetime]:
    """The instants at which clocks show that wall time: one, two in a repeated hour, none in a skipped one."""
    wall = _wall(day, minutes)
    candidates = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return {at for at in candidates if at.astimezone(zone).replace(tzinfo=None) == wall}


def _wall(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def _jump_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the clock change in (before, after]."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _ONE_SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _days(window: Span, zone: ZoneInfo) -> Iterator[date]:
    return _from_to(*_first_and_last(window, zone))


def _first_and_last(window: Span, zone: ZoneInfo) -> tuple[date, date]:
    return window.start.astimezone(zone).date() - _ONE_DAY, window.end.astimezone(zone).date() + _ONE_DAY


def _from_to(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)

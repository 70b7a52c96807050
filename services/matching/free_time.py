"""When a resource is free, from its opening hours and busy times: an estimate; only booking decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

_MOST_DAYS = 400
MOST_NAMED_DAYS = 7
"""Free days that are looked for one by one."""


Opening = tuple[tuple[int, int, int], ...]
"""(weekday from 0 Monday, opens, closes), in minutes of the local day."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """Hours of its own from one day of the year to another, "MM-DD", both included; may span the new year."""

    begins: str
    ends: str
    opening: Opening

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        at = f"{day:%m-%d}"
        if self.begins <= self.ends:
            return self.begins <= at <= self.ends
        return at >= self.begins or at <= self.ends


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a resource can be booked. The first of `seasons` that a day lies in has its hours instead of `opening`.

    `closures`: local days, the first and the last included. `holidays`: the country ("BE") or its part ("FR-57") whose
    public holidays are closed, None for none.
    """

    time_zone: str
    opening: Opening
    minimum_minutes: int
    lead_minutes: int
    horizon_days: int
    seasons: tuple[Season, ...] = ()
    closures: tuple[tuple[date, date], ...] = ()
    holidays: str | None = None

    def opening_on(self, day: date) -> Opening:
        """The hours of a local day, in order."""
        if any(first <= day <= last for first, last in self.closures) or self._is_holiday(day):
            return ()
        hours = next((season.opening for season in self.seasons if season.covers(day)), self.opening)
        return tuple(sorted(each for each in hours if each[0] == day.weekday()))

    def _is_holiday(self, day: date) -> bool:
        return self.holidays is not None and day in public_holidays(self.holidays, day.year)


@lru_cache(maxsize=256)
def public_holidays(region: str, year: int) -> frozenset[date]:
    """The public holidays of "FR", "FR-57", "BE" in `year`; none of a region that the library does not know."""
    country, _, part = region.partition("-")
    try:
        return frozenset(country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError:  # how the library says that it does not know the country or the part
        return frozenset()


Interval = tuple[datetime, datetime]
"""`[start, end)`, aware."""


def first_free(
    rules: Rules, busy: Sequence[Interval], *, start: datetime, end: datetime, now: datetime
) -> Interval | None:
    """The first period in `[start, end)` that is open, not taken, and long enough to be booked; in the local zone."""
    return next(_free_periods(rules, busy, start=start, end=end, now=now), None)


def free_days(rules: Rules, busy: Sequence[Interval], *, start: datetime, end: datetime, now: datetime) -> list[date]:
    """The local days, of the first `MOST_NAMED_DAYS` in `[start, end)`, on which a period begins that can be booked."""
    zone = ZoneInfo(rules.time_zone)
    last = datetime.combine(start.astimezone(zone).date() + timedelta(days=MOST_NAMED_DAYS), time(), zone)
    end = min(end, last.astimezone(UTC))
    near = [taken for taken in busy if taken[1] > start and taken[0] < end]
    found = _free_periods(rules, near, start=start, end=end, now=now)
    return list(dict.fromkeys(period[0].date() for period in found))


def _free_periods(
    rules: Rules, busy: Sequence[Interval], *, start: datetime, end: datetime, now: datetime
) -> Iterator[Interval]:
    """All periods in `[start, end)` that are open, not taken, and long enough to be booked; in the local zone."""
    start = max(start, now + timedelta(minutes=rules.lead_minutes))
    end = min(end, now + timedelta(days=rules.horizon_days))
    shortest = timedelta(minutes=max(rules.minimum_minutes, 1))
    zone = ZoneInfo(rules.time_zone)
    for opened in _open_periods(rules, start, end):
        for period in without(opened, busy):
            if period[1] - period[0] >= shortest:
                yield period[0].astimezone(zone), period[1].astimezone(zone)


def without(period: Interval, busy: Sequence[Interval]) -> Iterator[Interval]:
    """What is left of `period`, in order."""
    at = period[0]
    for taken_from, taken_until in sorted(busy):
        if taken_until <= at or taken_from >= period[1]:
            continue
        if taken_from > at:
            yield at, taken_from
        at = max(at, taken_until)
    if at < period[1]:
        yield at, period[1]


def _open_periods(rules: Rules, start: datetime, end: datetime) -> Iterator[Interval]:
    """Opening hours between `start` and `end`, in UTC, in order."""
    if start >= end:
        return
    zone = ZoneInfo(rules.time_zone)
    day = start.astimezone(zone).date()
    for _ in range(_MOST_DAYS):
        for _weekday, opens, closes in rules.opening_on(day):
            period = max(_instant(day, opens, zone), start), min(_instant(day, closes, zone), end)
            if period[0] < period[1]:
                yield period
        day += timedelta(days=1)
        if _instant(day, 0, zone) >= end:
            return


@lru_cache(maxsize=8192)
def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant of a wall time; 24:00 is the next day's midnight."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)

"""When a resource is free, from its opening hours and busy times: an estimate; only booking decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MOST_DAYS = 400


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a resource can be booked. `opening`: (weekday from 0 Monday, opens, closes) in minutes of the local day."""

    time_zone: str
    opening: tuple[tuple[int, int, int], ...]
    minimum_minutes: int
    lead_minutes: int
    horizon_days: int


Interval = tuple[datetime, datetime]
"""`[start, end)`, aware."""


def first_free(
    rules: Rules, busy: Sequence[Interval], *, start: datetime, end: datetime, now: datetime
) -> Interval | None:
    """The first period in `[start, end)` that is open, not taken, and long enough to be booked; in the local zone."""
    start = max(start, now + timedelta(minutes=rules.lead_minutes))
    end = min(end, now + timedelta(days=rules.horizon_days))
    shortest = timedelta(minutes=max(rules.minimum_minutes, 1))
    for opened in _open_periods(rules, start, end):
        for period in without(opened, busy):
            if period[1] - period[0] >= shortest:
                zone = ZoneInfo(rules.time_zone)
                return period[0].astimezone(zone), period[1].astimezone(zone)
    return None


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
        for weekday, opens, closes in sorted(rules.opening):
            if weekday == day.weekday():
                period = max(_instant(day, opens, zone), start), min(_instant(day, closes, zone), end)
                if period[0] < period[1]:
                    yield period
        day += timedelta(days=1)
        if _instant(day, 0, zone) >= end:
            return


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant of a wall time; 24:00 is the next day's midnight."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)

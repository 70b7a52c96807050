"""When a resource can be booked. One function answers it: for the page, the API, the approval and the peer (rule 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from services.booking.domain.opening import (
    Closure,
    Hours,
    OpeningCalendar,
    Season,
    grid,
    is_on_grid,
    local_midnight,
    open_spans,
)
from services.booking.domain.spans import Occupied, Span, clipped, full, levels, merged, without

SEARCH_BEFORE = timedelta(days=7)
SEARCH_AFTER = timedelta(days=60)
_CLOCK_CHANGE = timedelta(minutes=90)
_ONE_DAY = timedelta(days=1)
_ONE_MINUTE = timedelta(minutes=1)
_TO_ASK = timedelta(minutes=5)
"""What somebody who chooses the next free time has to send the form."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a resource can be booked: its IANA zone, opening hours, and durations in minutes.

    A booking begins and ends on the grid of steps from an opening time, lasts between minimum and maximum, begins
    `lead_minutes` from now at the earliest and ends at the latest with the day that is `horizon_days` ahead.
    `capacity`: how many can be booked at once. `seasons`, `closures`, `holidays`: see `OpeningCalendar`.
    """

    time_zone: str
    opening_hours: tuple[Hours, ...]
    step_minutes: int
    minimum_minutes: int
    maximum_minutes: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    capacity: int = 1
    seasons: tuple[Season, ...] = ()
    closures: tuple[Closure, ...] = ()
    holidays: str | None = None

    @cached_property
    def calendar(self) -> OpeningCalendar:
        return OpeningCalendar(
            weekly=self.opening_hours, seasons=self.seasons, closures=self.closures, holidays=self.holidays
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def minimum(self) -> timedelta:
        return timedelta(minutes=self.minimum_minutes)

    @cached_property
    def buffer_before(self) -> timedelta:
        return timedelta(minutes=self.buffer_before_minutes)

    @cached_property
    def buffer_after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    def earliest(self, now: datetime) -> datetime:
        """The first instant at which a booking made `now` may begin."""
        return now + timedelta(minutes=self.lead_minutes)

    def latest(self, now: datetime) -> datetime:
        """The instant at which a booking made `now` must have ended: the end of the last local day."""
        return last_instant(self.zone, self.horizon_days, now)

    def occupied(self, period: Span) -> Span:
        """What a booking of `period` occupies: with its buffers."""
        return period.widened(self.buffer_before, self.buffer_after)

    def within_reach(self, window: Span) -> Span:
        """Where what is booked can matter to whether something within `window` is free: the buffers further."""
        return window.widened(self.minimum + self.buffer_before, self.minimum + self.buffer_after)

    def is_on_grid(self, at: datetime) -> bool:
        return is_on_grid(self.calendar, self.zone, self.step_minutes, at)


def last_instant(zone: ZoneInfo, horizon_days: int, now: datetime) -> datetime:
    """The end of the local day that is `horizon_days` ahead."""
    last_day = now.astimezone(zone).date() + timedelta(days=horizon_days)
    return local_midnight(last_day + timedelta(days=1), zone)


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Within a window: when the resource is open, where it is full, and where a booking may lie.

    `left`: for a resource with capacity above one, how many are left where some are taken; else empty.
    """

    open: list[Span]
    busy: list[Span]
    free: list[Span]
    left: list[tuple[Span, int]]


def availability(
    rules: Rules, *, occupied: Sequence[Occupied], now: datetime, window: Span, quantity: int = 1
) -> Availability:
    """When `quantity` of the resource can be booked within `window`.

    `occupied`: what other bookings occupy, their own buffers included (as they were when they were booked).
    A period on the grid and of an allowed length can be booked exactly when it lies within one span of `free`:
    a new booking brings buffers of its own, so free time ends `buffer_after` before the next full span and
    begins `buffer_before` after the last one. Full is where fewer than `quantity` are left. The grid lies on whole
    minutes, and so does the first instant that is free: within one minute the answer is the same.
    """
    opened, taken, free = _regardless_of_now(rules, tuple(occupied), window, quantity)
    bookable = clipped(free, Span(_next_minute(rules.earliest(now)), rules.latest(now)))
    long_enough = [span for span in bookable if span.length >= rules.minimum]
    return Availability(
        open=clipped(opened, window),
        busy=clipped(taken, window),
        free=clipped(long_enough, window) if quantity <= rules.capacity else [],
        left=_left(rules, occupied, window),
    )


def _next_minute(at: datetime) -> datetime:
    """`at`, or the next whole minute."""
    return at if not (at.second or at.microsecond) else at.replace(second=0, microsecond=0) + _ONE_MINUTE


@lru_cache(maxsize=500)
def _regardless_of_now(
    rules: Rules, occupied: tuple[Occupied, ...], window: Span, quantity: int
) -> tuple[Sequence[Span], Sequence[Span], Sequence[Span]]:
    """Where it is open, where it is full, and where both leave room. The same week is looked at many times."""
    wide = window.widened(rules.minimum, rules.minimum)  # so that no stretch is called too short at the window's edge
    opened = clipped(open_spans(rules.calendar, rules.zone, wide), wide)
    taken = full(occupied, rules.capacity - quantity)
    before, after = rules.buffer_before, rules.buffer_after
    kept_away = merged(span.widened(after, before) for span in taken) if before or after else taken
    return opened, taken, without(opened, kept_away)


def _left(rules: Rules, occupied: Sequence[Occupied], window: Span) -> list[tuple[Span, int]]:
    if rules.capacity == 1:
        return []
    parts = ((clipped([span], window), taken) for span, taken in levels(occupied))
    return [(span, max(rules.capacity - taken, 0)) for inside, taken in parts for span in inside]


def search_window(wanted: Span) -> Span:
    """Where alternatives to `wanted` are looked for; `wanted` alone at the edges of the calendar."""
    try:
        return wanted.widened(SEARCH_BEFORE, SEARCH_AFTER)
    except OverflowError:
        return wanted


def alternatives(
    rules: Rules,
    *,
    occupied: Sequence[Occupied],
    now: datetime,
    wanted: Span,
    quantity: int = 1,
    count: int = 3,
) -> list[Span]:
    """The free periods of the same length (for `quantity`) that begin nearest to `wanted`, nearest first."""
    length = wanted.length
    free = availability(rules, occupied=occupied, now=now, window=search_window(wanted), quantity=quantity).free
    reach = timedelta(minutes=rules.step_minutes) * count + _CLOCK_CHANGE
    fitting = [span for span in free if span.length >= length]
    by_distance = sorted((_nearest(span, wanted), span) for span in fitting)
    found: list[tuple[timedelta, Span]] = []
    for near, span in by_distance:
        if len(found) >= count and abs(near - wanted.start) > sorted(found)[count - 1][0]:
            break
        around = Span(max(span.start, near - reach), min(span.end - length, near + reach))
        starts = grid(rules.calendar, rules.zone, rules.step_minutes, around)
        fits = (Span(start, start + length) for start in starts if rules.is_on_grid(start + length))
        found.extend((abs(fit.start - wanted.start), fit) for fit in fits)
    return [span for _, span in sorted(set(found))[:count]]


def next_free(
    rules: Rules, *, occupied: Sequence[Occupied], now: datetime, since: datetime, quantity: int = 1, count: int = 3
) -> list[Span]:
    """The next free stretches for `quantity` of at least the minimum length, one a day unless interrupted."""
    begin = max(since, now)
    first = begin.astimezone(rules.zone).date()
    days = Span(local_midnight(first, rules.zone), local_midnight(first + SEARCH_AFTER + _ONE_DAY, rules.zone))
    found: list[Span] = []
    free = availability(rules, occupied=occupied, now=now, window=days, quantity=quantity).free
    soonest = max(begin, rules.earliest(now) + _TO_ASK)
    for stretch in clipped(free, Span(soonest, soonest + SEARCH_AFTER)):
        if len(found) >= count:
            break
        start = next(grid(rules.calendar, rules.zone, rules.step_minutes, stretch), stretch.end)
        while len(found) < count and stretch.end - start >= rules.minimum:
            midnight = local_midnight(start.astimezone(rules.zone).date() + timedelta(days=1), rules.zone)
            found.append(Span(start, min(stretch.end, max(midnight, start + rules.minimum))))
            start = max(midnight, start + rules.minimum)
    return found[:count]


def _nearest(span: Span, wanted: Span) -> datetime:
    """The start within `span` nearest to that of `wanted`."""
    return min(max(wanted.start, span.start), span.end - wanted.length)

"""A week of a resource as a table: columns are days, rows are times, each cell says whether it can be booked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from services.portal.client import Json

State = Literal["free", "busy", "part", "closed", "past"]
_MOST_ROWS = 24
_DAY_MINUTES = 24 * 60
Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A time of one day. `pick`: the period that choosing it books (RFC 3339, `start/end`), None when not free.

    `left`: how many are left for all of it (or of the pick), None for a resource of which there is one.
    """

    day: date
    begins: int
    ends: int
    state: State
    pick: str | None = None
    left: int | None = None


@dataclass(frozen=True, kw_only=True)
class Week:
    """`rows`: for each time of day (minutes after midnight) one cell a day. `capacity`: how many there are."""

    days: list[date]
    rows: list[tuple[int, list[Cell]]]
    row_minutes: int
    capacity: int = 1

    @property
    def has_free(self) -> bool:
        """Whether anything can be booked in it."""
        return any(cell.pick for _, cells in self.rows for cell in cells)


def lay_out(availability: Json, *, minimum_minutes: int, now: datetime) -> Week:
    """The table of what booking's availability says; a choice is at least `minimum_minutes` long."""
    zone = ZoneInfo(availability["time_zone"])
    days = [date.fromisoformat(day["date"]) for day in availability["days"]]
    opened = _spans(availability["days"], "open", zone)
    free = list(_joined(_spans(availability["days"], "free", zone)))
    first, last = _bounds(opened)
    minutes = _row_minutes(int(availability["step_minutes"]), last - first)
    shortest = shortest_minutes(int(availability["step_minutes"]), minimum_minutes)
    capacity = int(availability.get("capacity", 1))
    count = partial(_with_left, zone=zone, capacity=capacity, parts=_parts(availability["days"]))
    rows: list[tuple[int, list[Cell]]] = []
    for begins in range(first, last, minutes):
        ends = min(begins + minutes, _DAY_MINUTES)
        cells = [_cell(day, begins, ends, zone, opened, free, shortest, now) for day in days]
        rows.append((begins, [count(cell) for cell in cells] if capacity > 1 else cells))
    return Week(days=days, rows=rows, row_minutes=minutes, capacity=capacity)


def shortest_minutes(step: int, minimum: int) -> int:
    """The length of the shortest booking: the minimum, in whole steps."""
    return -(-minimum // step) * step


def _cell(  # noqa: PLR0917 - a cell is where all of these meet
    day: date, begins: int, ends: int, zone: ZoneInfo, opened: list[Span], free: list[Span], minimum: int, now: datetime
) -> Cell:
    start, end = _instant(day, begins, zone), _instant(day, ends, zone)
    if start >= end or not any(_overlaps(span, (start, end)) for span in opened):
        return Cell(day=day, begins=begins, ends=ends, state="closed")
    if start < now:
        return Cell(day=day, begins=begins, ends=ends, state="past")
    pick = _pick(start, end, free, timedelta(minutes=minimum))
    if pick is not None:
        return Cell(
            day=day, begins=begins, ends=ends, state="free", pick=f"{pick[0].isoformat()}/{pick[1].isoformat()}"
        )
    part = any(_overlaps(span, (start, end)) for span in free)
    return Cell(day=day, begins=begins, ends=ends, state="part" if part else "busy")


def _with_left(cell: Cell, *, zone: ZoneInfo, capacity: int, parts: list[tuple[Span, int]]) -> Cell:
    """The cell with the fewest that are left at any moment of what it offers."""
    if cell.state in {"closed", "past"}:
        return cell
    start, end = _instant(cell.day, cell.begins, zone), _instant(cell.day, cell.ends, zone)
    if cell.pick:
        start, end = (datetime.fromisoformat(text) for text in cell.pick.split("/"))
    return replace(cell, left=min((left for span, left in parts if _overlaps(span, (start, end))), default=capacity))


def _parts(days: Iterable[Json]) -> list[tuple[Span, int]]:
    """Where some are taken, and how many are left."""
    return [
        ((datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])), int(one["left"]))
        for day in days
        for one in day.get("left", [])
    ]


def _pick(start: datetime, end: datetime, free: list[Span], minimum: timedelta) -> Span | None:
    """The cell's own time, made as long as a booking must be: forwards, else backwards."""
    longer = max(end - start, minimum)
    for choice in ((start, start + longer), (end - longer, end)):
        if any(span[0] <= choice[0] and choice[1] <= span[1] for span in free):
            return choice
    return None


def _row_minutes(step: int, shown: int) -> int:
    """The step, or a multiple of it when the day would have too many rows."""
    times = 1
    while shown / (step * times) > _MOST_ROWS:
        times += 1
    return step * times


def _bounds(opened: list[Span]) -> tuple[int, int]:
    """From the earliest opening to the latest closing, in minutes after midnight."""
    if not opened:
        return 0, 0
    starts = [start.hour * 60 + start.minute for start, _ in opened]
    ends = [_DAY_MINUTES if end.date() > start.date() else end.hour * 60 + end.minute for start, end in opened]
    return min(starts), max(ends)


def _spans(days: Iterable[Json], name: str, zone: ZoneInfo) -> list[Span]:
    return [
        (datetime.fromisoformat(one["start"]).astimezone(zone), datetime.fromisoformat(one["end"]).astimezone(zone))
        for day in days
        for one in day[name]
    ]


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Spans that touch become one."""
    ordered = sorted(spans)
    if not ordered:
        return
    begin = ordered[0][0]
    for one, following in pairwise(ordered):
        if following[0] > one[1]:
            yield begin, one[1]
            begin = following[0]
    yield begin, ordered[-1][1]


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """An instant from a wall time. In UTC, so that lengths are true on the days when the clocks change."""
    midnight = datetime.combine(day + timedelta(days=minutes // _DAY_MINUTES), time(), zone)
    wall = midnight + timedelta(minutes=minutes % _DAY_MINUTES)
    return wall.astimezone(ZoneInfo("UTC"))


def _overlaps(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]

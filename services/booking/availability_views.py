"""When resources are free, as people and programs are shown it.

Plain dataclasses, written as JSON without being checked again: a month of a busy room is a thousand of them.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter

from services.booking.domain.availability import Availability
from services.booking.domain.opening import local_midnight
from services.booking.domain.spans import Span
from services.booking.resources import Resource

From = Annotated[date, Field(serialization_alias="from")]


@dataclass(slots=True)
class Stretch:
    """`[start, end)`, UTC."""

    start: datetime
    end: datetime


@dataclass(slots=True)
class Left:
    """How many are left of a resource with capacity above one, where some are taken."""

    start: datetime
    end: datetime
    left: int


@dataclass(slots=True)
class Day:
    """One local day; stretches are cut at the day's ends."""

    date: date
    open: list[Stretch]
    free: list[Stretch]
    busy: list[Stretch]
    left: list[Left]


@dataclass(slots=True, kw_only=True)
class AvailabilityView:
    """Some days of a resource. `as_of`: for a peer's resource, when the peer last told its busy times."""

    time_zone: str
    step_minutes: int
    capacity: int
    from_: From
    days: list[Day]
    as_of: datetime | None
    next_free: list[Stretch]


@dataclass(slots=True, kw_only=True)
class FreeView:
    """When one of several resources is free and when it is taken, over some days of its own zone.

    `origin`: the peer that owns it, None for ours; `as_of`: when that peer last told.
    """

    offer_id: UUID
    origin: str | None
    time_zone: str
    capacity: int
    free: list[Stretch]
    busy: list[Stretch]
    as_of: datetime | None


@dataclass(slots=True, kw_only=True)
class FreeTimesView:
    """Several resources; those that cannot be seen or booked are in `unknown`, as they were asked for."""

    from_: From
    days: int
    resources: list[FreeView]
    unknown: list[str]


_ONE = TypeAdapter(FreeView)
_MANY = TypeAdapter(FreeTimesView)


def free_view_json(view: FreeView) -> bytes:
    """One of several resources, as it is written."""
    return _ONE.dump_json(view)


def free_times_json(first: date, days: int, resources: Iterable[bytes], unknown: list[str]) -> bytes:
    """The JSON of a `FreeTimesView` whose resources have been written already."""
    without = _MANY.dump_json(FreeTimesView(from_=first, days=days, resources=[], unknown=unknown), by_alias=True)
    return without.replace(b'"resources":[]', b'"resources":[' + b",".join(resources) + b"]", 1)


def day_views(resource: Resource, found: Availability, first: date, days: int) -> list[Day]:
    """`found` cut into local days."""
    zone = resource.rules.zone
    edges = [local_midnight(first + timedelta(days=number), zone) for number in range(days + 1)]
    views = [Day(first + timedelta(days=number), [], [], [], []) for number in range(days)]
    for name in ("open", "free", "busy"):
        spans: list[Span] = getattr(found, name)
        for number, start, end in _cut(spans, edges):
            getattr(views[number], name).append(Stretch(start, end))
    for span, left in found.left:
        for number, start, end in _cut([span], edges):
            views[number].left.append(Left(start, end, left))
    return views


def stretches(spans: Iterable[Span]) -> list[Stretch]:
    """Spans as they are written."""
    return [Stretch(start, end) for start, end in spans]


def _cut(spans: Iterable[Span], edges: list[datetime]) -> Iterable[tuple[int, datetime, datetime]]:
    """The parts of `spans` between two edges each, with the number of the first edge."""
    for start, end in spans:
        number = max(bisect_right(edges, start) - 1, 0)
        while number + 1 < len(edges) and edges[number] < end:
            begins, ends = max(start, edges[number]), min(end, edges[number + 1])
            if begins < ends:
                yield number, begins, ends
            number += 1

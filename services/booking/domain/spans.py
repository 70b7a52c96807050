"""Half-open spans of time and what can be done with lists of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple


class Span(NamedTuple):
    """`[start, end)`: aware instants in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts (elapsed time; negative when it ends before it begins)."""
        return self.end - self.start

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share an instant."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Whether `other` lies wholly within this span."""
        return self.start <= other.start and other.end <= self.end

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        """The span that begins `before` earlier and ends `after` later."""
        return Span(self.start - before, self.end + after)


class Occupied(NamedTuple):
    """What a booking occupies: a span, and how many of the resource."""

    span: Span
    quantity: int = 1


def levels(occupied: Iterable[Occupied]) -> list[tuple[Span, int]]:
    """How many are taken when: sorted, disjoint spans with a level above zero, as few as possible.

    Half-open: what ends at an instant is given back before what begins at it is taken.
    """
    changes: dict[datetime, int] = {}
    for (start, end), quantity in occupied:
        if start < end:
            changes[start] = changes.get(start, 0) + quantity
            changes[end] = changes.get(end, 0) - quantity
    result: list[tuple[Span, int]] = []
    level, since = 0, None
    for at in sorted(changes):
        change = changes[at]
        if change == 0:
            continue
        if level > 0 and since is not None:
            result.append((Span(since, at), level))
        level, since = level + change, at
    return result


def full(occupied: Iterable[Occupied], most: int) -> list[Span]:
    """Where more than `most` are taken, merged."""
    if most == 0:  # whatever is taken: what a change takes beyond its booking lies within one of the two
        return merged(span for span, quantity in occupied if quantity > 0)
    return merged(span for span, level in levels(occupied) if level > most)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants in as few spans as possible, sorted; touching spans become one, empty ones go."""
    result: list[Span] = []
    begun: datetime | None = None
    until: datetime | None = None
    for start, end in sorted(spans):
        if start >= end:
            continue
        if begun is None or until is None:
            begun, until = start, end
        elif start <= until:
            until = max(until, end)
        else:
            result.append(Span(begun, until))
            begun, until = start, end
    if begun is not None and until is not None:
        result.append(Span(begun, until))
    return result


def clipped(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of `spans` lies in `window`."""
    first, last = window
    result: list[Span] = []
    for span in spans:
        start, end = span
        if start >= first and end <= last:
            if start < end:
                result.append(span)
        elif (inside := Span(max(start, first), min(end, last))).start < inside.end:
            result.append(inside)
    return result


def without(spans: Iterable[Span], covers: Sequence[Span]) -> list[Span]:
    """What of `spans` no span of `covers` covers; both sorted and disjoint."""
    result: list[Span] = []
    first = 0
    for start, end in spans:
        while first < len(covers) and covers[first].end <= start:
            first += 1
        free_from = start
        for begins, ends in islice(covers, first, None):
            if begins >= end:
                break
            if begins > free_from:
                result.append(Span(free_from, begins))
            free_from = ends
        if free_from < end:
            result.append(Span(free_from, end))
    return result

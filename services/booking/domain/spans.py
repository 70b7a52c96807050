"""Half-open spans of time and what can be done with lists of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Span:
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


@dataclass(frozen=True, order=True)
class Occupied:
    """What a booking occupies: a span, and how many of the resource."""

    span: Span
    quantity: int = 1


def levels(occupied: Iterable[Occupied]) -> list[tuple[Span, int]]:
    """How many are taken when: sorted, disjoint spans with a level above zero, as few as possible.

    Half-open: what ends at an instant is given back before what begins at it is taken.
    """
    changes: dict[datetime, int] = {}
    for each in occupied:
        if each.span.start < each.span.end:
            changes[each.span.start] = changes.get(each.span.start, 0) + each.quantity
            changes[each.span.end] = changes.get(each.span.end, 0) - each.quantity
    result: list[tuple[Span, int]] = []
    level, since = 0, None
    for at, change in sorted(changes.items()):
        if change == 0:
            continue
        if level > 0 and since is not None:
            result.append((Span(since, at), level))
        level, since = level + change, at
    return result


def full(occupied: Iterable[Occupied], most: int) -> list[Span]:
    """Where more than `most` are taken, merged."""
    return merged(span for span, level in levels(occupied) if level > most)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants in as few spans as possible, sorted; touching spans become one, empty ones go."""
    result: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def clipped(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of `spans` lies in `window`."""
    parts = (Span(max(span.start, window.start), min(span.end, window.end)) for span in spans)
    return [part for part in parts if part.start < part.end]


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What of `spans` (sorted, disjoint) no span of `taken` covers."""
    result: list[Span] = []
    covers = merged(taken)
    for span in spans:
        start = span.start
        for cover in covers:
            if cover.end <= start:
                continue
            if cover.start >= span.end:
                break
            if cover.start > start:
                result.append(Span(start, cover.start))
            start = cover.end
        if start < span.end:
            result.append(Span(start, span.end))
    return result

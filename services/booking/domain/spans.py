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

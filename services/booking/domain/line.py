"""Who of those that wait gets what has become free. Pure arithmetic over spans.

The rule, in three sentences:

1. In the order of arrival, everybody whose whole wish fits into what is free has it offered.
2. Who wants more than is free is passed over by those behind who fit, and keeps the position; once passed over, what
   becomes free next of what the wish needs is kept for it, from those behind and from newcomers, so that it adds up.
3. It is kept for as long as there is to accept an offer, and never longer than half of the time that is left; when the
   wish is still not whole then, all of it goes to those behind, and the wish may be passed over again before anything
   is kept for it again.

So a big wish is passed over at one handing out at the most between two times of keeping, and what is kept is given on
while there is still as much time left as it was kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.booking.domain.spans import Occupied, Span, clipped, levels

SHORTEST_KEEP = timedelta(minutes=15)
"""Nothing is kept for a shorter time: nobody would notice."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Somebody waits for `quantity` during all of `occupied` (buffers included).

    `last`: until when it could still be booked. `patience`: how long an offer may be accepted.
    `passed_over`: somebody behind was served since anything was kept. `kept_until`: something is being kept until then.
    """

    id: UUID
    occupied: Span
    quantity: int
    last: datetime
    patience: timedelta
    passed_over: bool = False
    kept_until: datetime | None = None

    def accept_by(self, now: datetime) -> datetime:
        """Until when a place that is offered `now` can be accepted."""
        return min(now + self.patience, self.last)

    def keep_until(self, now: datetime) -> datetime | None:
        """Until when something would be kept from `now` on; None when too little time is left."""
        lasts = min(self.patience, (self.last - now) / 2)
        return now + lasts if lasts >= SHORTEST_KEEP else None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one handing out comes to: who is offered the whole wish, what is kept for whom, and everybody else's state.

    `waiting`: those who go on waiting, with `passed_over` and `kept_until` as they are from now on.
    """

    offered: list[Wish] = field(default_factory=list[Wish])
    kept: dict[UUID, list[Occupied]] = field(default_factory=dict[UUID, list[Occupied]])
    waiting: list[Wish] = field(default_factory=list[Wish])


def hand_out(line: Iterable[Wish], *, taken: Sequence[Occupied], capacity: int, now: datetime) -> Turn:
    """Hand out what is free to `line` (in the order of arrival), by the rule of this module.

    `taken`: what bookings, requests, holds and offers occupy, without what is kept for this line.
    """
    turn, gone = Turn(), list(taken)
    for wish in line:
        parts = free_parts(wish, taken=gone, capacity=capacity)
        if parts == [Occupied(wish.occupied, wish.quantity)]:
            turn.offered.append(wish)
            gone.extend(parts)
            _note_passing(turn, wish)
            continue
        after = _waits_on(wish, now=now, something=bool(parts))
        turn.waiting.append(after)
        if after.kept_until is not None:
            turn.kept[wish.id] = parts
            gone.extend(parts)
    return turn


def free_parts(wish: Wish, *, taken: Sequence[Occupied], capacity: int) -> list[Occupied]:
    """What is free of what the wish needs: at each instant, as many as are left and no more than it wants."""
    parts: list[Occupied] = []
    at = wish.occupied.start
    within = [(part, level) for span, level in levels(taken) for part in clipped([span], wish.occupied)]
    for span, level in [*within, (Span(wish.occupied.end, wish.occupied.end), capacity)]:
        _add(parts, Span(at, span.start), min(capacity, wish.quantity))
        _add(parts, span, min(capacity - level, wish.quantity))
        at = span.end
    return parts


def _add(parts: list[Occupied], span: Span, quantity: int) -> None:
    if span.start >= span.end or quantity <= 0:
        return
    if parts and parts[-1].span.end == span.start and parts[-1].quantity == quantity:
        parts[-1] = Occupied(Span(parts[-1].span.start, span.end), quantity)
    else:
        parts.append(Occupied(span, quantity))


def _waits_on(wish: Wish, *, now: datetime, something: bool) -> Wish:
    """The state of a wish that is not whole; `something`: whether anything is free that could be kept for it."""
    if wish.kept_until is not None:
        return wish if now < wish.kept_until else replace(wish, kept_until=None, passed_over=False)
    if wish.passed_over and something:
        return replace(wish, kept_until=wish.keep_until(now))
    return wish


def _note_passing(turn: Turn, served: Wish) -> None:
    """Those ahead of `served` who wait for some of the same time, and for whom nothing is kept, were passed over."""
    for place, ahead in enumerate(turn.waiting):
        if ahead.kept_until is None and ahead.occupied.overlaps(served.occupied):
            turn.waiting[place] = replace(ahead, passed_over=True)

"""A series: bookings of one resource that were made together by a rule, and what may be done to several of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from contracts.booking import SeriesDate, SeriesState
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span

Scope = Literal["this", "following", "all"]
SeriesStatus = Literal["pending", "confirmed", "declined", "expired", "cancelled"]


@dataclass(eq=False, kw_only=True)
class Series:
    """The rule that bookings were made by; the bookings themselves say how each of them stands.

    `starts_at`, `ends_at`: the first occurrence by the rule. `exceptions`: local days of the rule without a booking,
    wished or skipped. `size`: how many were booked. `status`: what was last done to all that were left.
    """

    id: UUID
    offer_id: UUID
    borrower_member_id: UUID
    rrule: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    exceptions: list[date] = field(default_factory=list[date])
    size: int
    status: SeriesStatus
    created_at: datetime
    changed_at: datetime
    version: int = 1

    def become(self, status: SeriesStatus | None, *, now: datetime) -> None:
        """Something was done to some of its bookings; to all that were left when there is a `status`."""
        self.status = status or self.status
        self.version += 1
        self.changed_at = now

    def state(self, about: Sequence[Booking]) -> SeriesState:
        """What is said of it and of its bookings `about` (one at least)."""
        ordered = sorted(about, key=lambda booking: booking.starts_at)
        shown = ordered[0].state()
        return SeriesState(
            id=self.id,
            offer_id=self.offer_id,
            offer_title=shown.offer_title,
            borrower=shown.borrower,
            owner=shown.owner,
            rrule=self.rrule,
            start=self.starts_at,
            end=self.ends_at,
            time_zone=self.time_zone,
            place_label=shown.place_label,
            quantity=shown.quantity,
            note=shown.note,
            of=self.size,
            reason=shown.reason,
            decide_by=min((one.decide_by for one in ordered if one.decide_by is not None), default=None),
            version=self.version,
            changed_at=self.changed_at,
            circle_name=shown.circle_name,
            private=shown.private,
            dates=tuple(
                SeriesDate(
                    booking_id=one.id,
                    position=one.series_position or 0,
                    start=one.starts_at,
                    end=one.ends_at,
                    version=one.version,
                )
                for one in ordered
            ),
        )


def in_scope(bookings: Sequence[Booking], this: Booking, scope: Scope) -> list[Booking]:
    """Which bookings of the series of `this` are meant; what follows it is so by the rule, wherever it was moved."""
    if scope == "all":
        return list(bookings)
    if scope == "this" or this.occurrence is None:
        return [this]
    since = this.occurrence
    return [one for one in bookings if one.occurrence is not None and one.occurrence >= since]


def shared_out(old: Sequence[Span], new: Sequence[Span]) -> list[Span]:
    """Who of several bookings of a series keeps which of their `new` places beside its `old` one, until it is decided.

    All move at once or none, so that a new place which is the old one of another is kept by that other: beside it,
    nothing is taken twice.
    """
    kept: dict[int, Span] = {}
    left: list[Span] = []
    for number, place in enumerate(new):
        near = sorted(range(len(old)), key=lambda other: other != number)
        keeper = next((one for one in near if one not in kept and old[one].overlaps(place)), None)
        if keeper is None:
            left.append(place)
        else:
            kept[keeper] = place
    return [kept[number] if number in kept else left.pop(0) for number in range(len(old))]

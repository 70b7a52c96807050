"""A booking and its life (see the states in the domain's description)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.booking import (
    BookingCancellationAsked,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingEvent,
    BookingExpired,
    BookingRequested,
    BookingState,
    Party,
    Status,
)
from services.booking.domain.prices import Value, minutes_of, price_of, value_of
from services.booking.domain.problems import AlreadyDecided, CannotCancel, TooLate
from services.booking.domain.spans import Span

Side = Literal["borrower", "owner", "system"]

OCCUPYING: tuple[Status, ...] = ("held", "pending", "confirmed", "in_use", "overdue")
"""While in one of these states a booking takes its place (rule 1)."""

OPEN: tuple[Status, ...] = (*OCCUPYING, "cancelling")
"""Something may still happen to a booking in one of these states."""

_AGREED: tuple[Status, ...] = ("confirmed", "in_use", "overdue", "completed", "no_show")
"""The two people may know each other from here on."""


@dataclass(eq=False, kw_only=True)
class Booking:
    """A booking of our resource (by our member or a peer's), or our member's booking of a peer's resource.

    `resource_origin`: the peer that decides, None for ours. `borrower_peer_id`: the peer whose member asked, else None.
    `occupied`: the period with the buffers of the day it was booked; None where nothing is occupied here.
    `remote_version`: the newest version of the peer's answer that was applied. `grace_minutes`: how long after the
    start people may arrive, None where they need not say so. `told_value` (kept nowhere): what the peer said that the
    use was worth, in the transaction that completes it.
    """

    id: UUID
    offer_id: UUID
    offer_title: str
    resource_origin: str | None
    origin_name: str | None
    borrower_member_id: UUID | None
    borrower_name: str | None
    borrower_peer_id: str | None
    borrower_peer_name: str | None
    borrower_pseudonym: str | None
    owner_member_id: UUID | None
    owner_name: str | None
    starts_at: datetime
    ends_at: datetime
    occupied: Span | None
    exclusive: bool
    time_zone: str
    place_label: str | None
    quantity: int
    note: str
    status: Status
    reason: str | None
    decide_by: datetime | None
    remote_version: int
    version: int
    created_at: datetime
    changed_at: datetime
    grace_minutes: int | None = None
    check_in_code: str | None = None
    wrong_codes: int = 0
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    told_value: Value | None = None

    @property
    def period(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def is_ours(self) -> bool:
        """Whether the decision is made here."""
        return self.resource_origin is None

    @property
    def crosses(self) -> bool:
        """Whether the two people belong to two cooperatives."""
        return not self.is_ours or self.borrower_peer_id is not None

    @property
    def used(self) -> Span:
        """When it was used: from arrival to return where people say so, else the whole period."""
        start = self.checked_in_at or self.starts_at
        return Span(start, max(self.checked_out_at or self.ends_at, start))

    @property
    def worth(self) -> Value | None:
        """What the use was worth, once it is completed: by its price; at a peer's resource, as the peer said."""
        if self.status != "completed":
            return None
        return self.told_value or value_of(price_of(self), minutes=minutes_of(self.used), quantity=self.quantity)

    def asked(self) -> BookingEvent:
        """The event that tells of this booking as it is now."""
        return told(self)

    def confirm(self, *, now: datetime) -> BookingEvent:
        """Raises AlreadyDecided, TooLate."""
        self._check_waits()
        if self.decide_by is not None and now >= self.decide_by:
            raise TooLate
        return self._become("confirmed", now)

    def decline(self, *, reason: str | None, now: datetime) -> BookingEvent:
        """Raises AlreadyDecided."""
        self._check_waits()
        return self._become("declined", now, reason=reason)

    def expire(self, *, now: datetime) -> BookingEvent:
        """Nobody decided in time. Raises AlreadyDecided."""
        self._check_waits()
        return self._become("expired", now)

    def complete(self, *, now: datetime) -> BookingEvent:
        """The period is over."""
        return self._become("completed", now)

    def turn(self, status: Status, *, now: datetime) -> BookingEvent:
        """Take the next step of a use, as `domain/use.py` rules."""
        return self._become(status, now)

    def count_change(self, now: datetime) -> None:
        """Something about it is said anew, though its state stays."""
        self.version += 1
        self.changed_at = now

    def cancel(self, *, by: Side, reason: str | None, now: datetime) -> BookingEvent:
        """Call it off, or ask the peer to (`cancelling`). Raises CannotCancel."""
        if not self.may_be_cancelled(now):
            raise CannotCancel(booking_status=self.status)
        if not self.is_ours and by != "system":
            return self._become("cancelling", now, reason=reason)
        return self._become("cancelled", now, reason=reason, by=by)

    def end(self, *, now: datetime) -> BookingEvent:
        """Nobody is left who could decide on it: the link with the peer has ended."""
        return self._become("cancelled", now, reason=self.reason)

    def hand_to_coordinators(self, *, now: datetime) -> BookingEvent:
        """The owner has left: the request waits for a coordinator (an event without an owner says so)."""
        self._check_waits()
        self.owner_member_id = None
        return self._become("pending", now)

    def follow(self, status: Status, *, period: Span, reason: str | None, now: datetime) -> BookingEvent | None:
        """Take over what the peer that decides has said. None when that changes nothing for anybody."""
        if self.status not in OPEN:
            return None
        if self.status == "cancelling" and status in {"pending", "confirmed"}:
            return None  # the answers crossed: the end is still to come (what is in use is not called off any more)
        if self.status == status and self.period == period:
            return None
        if status == "pending" and self.status in _AGREED:
            return None
        if status == "confirmed" and self.status in {"in_use", "overdue"}:
            return None
        self.starts_at, self.ends_at = period.start, period.end
        by: Side = "owner" if self.status != "cancelling" else "borrower"
        return self._become(status, now, reason=reason, by=by)

    def may_be_cancelled(self, now: datetime) -> bool:
        """Whether it can be called off at all: it waits, or it is agreed and not over."""
        return self.status == "pending" or (self.status == "confirmed" and now < self.ends_at)

    def state(self) -> BookingState:
        """What is said of it. Names cross, and the address to a peer, only once it is agreed (rule 6)."""
        known = not self.crosses or self.status in _AGREED
        foreign = self.borrower_peer_id is not None
        worth = self.worth
        return BookingState(
            id=self.id,
            offer_id=self.offer_id,
            offer_title=self.offer_title,
            resource_origin=self.resource_origin,
            origin_name=self.origin_name,
            borrower=self._borrower(named=known or not foreign),
            owner=self._owner(named=known or foreign),
            start=self.starts_at,
            end=self.ends_at,
            time_zone=self.time_zone,
            place_label=self.place_label if known else None,
            quantity=self.quantity,
            note=self.note,
            status=self.status,
            reason=self.reason,
            decide_by=self.decide_by,
            version=self.version,
            changed_at=self.changed_at,
            grace_minutes=self.grace_minutes,
            checked_in_at=self.checked_in_at,
            checked_out_at=self.checked_out_at,
            value=worth.told() if worth else None,
        )

    def _borrower(self, *, named: bool) -> Party:
        return Party(
            member_id=self.borrower_member_id,
            name=self.borrower_name if named else None,
            peer_id=self.borrower_peer_id,
            peer_name=self.borrower_peer_name,
            pseudonym=self.borrower_pseudonym,
        )

    def _owner(self, *, named: bool) -> Party:
        return Party(
            member_id=self.owner_member_id,
            name=self.owner_name if named else None,
            peer_id=self.resource_origin,
            peer_name=self.origin_name,
        )

    def _check_waits(self) -> None:
        if self.status != "pending":
            raise AlreadyDecided(booking_status=self.status)

    def _become(self, status: Status, now: datetime, *, reason: str | None = None, by: Side = "system") -> BookingEvent:
        self.status = status
        self.reason = reason
        self.version += 1
        self.changed_at = now
        return told(self, by=by)


def told(booking: Booking, *, by: Side = "system") -> BookingEvent:
    """The event for the state that `booking` is in; `by`: which side called it off."""
    state = booking.state()
    if booking.status == "cancelled":
        return BookingCancelled(booking=state, by=by)
    kinds: dict[Status, type[BookingEvent]] = {
        "pending": BookingRequested,
        "confirmed": BookingConfirmed,
        "in_use": BookingConfirmed,
        "overdue": BookingConfirmed,
        "declined": BookingDeclined,
        "cancelling": BookingCancellationAsked,
        "expired": BookingExpired,
        "completed": BookingCompleted,
        "no_show": BookingCompleted,
    }
    return kinds[booking.status](booking=state)

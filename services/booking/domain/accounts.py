"""The line that every use leaves: who, what, whose, how long, how much, worth what."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.booking import ValueUnit
from services.booking.domain.booking import Booking
from services.booking.domain.prices import minutes_of

Kind = Literal["use", "no_show"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A use, or a booking to which nobody came. Of a peer's person the pseudonym, of a peer's resource the peer.

    `minutes`: how long it was used, 0 when nobody came. `value`: None when nobody set a price or nobody came.
    """

    booking_id: UUID
    kind: Kind
    borrower_member_id: UUID | None
    borrower_name: str | None
    borrower_peer_id: str | None
    borrower_peer_name: str | None
    borrower_pseudonym: str | None
    owner_member_id: UUID | None
    owner_name: str | None
    owner_peer_id: str | None
    owner_peer_name: str | None
    offer_id: UUID
    offer_title: str
    circle_id: UUID | None
    circle_name: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    quantity: int
    value: Decimal | None
    unit: ValueUnit | None


def line_of(booking: Booking) -> Line:
    """The line of a booking that is completed, or to which nobody came; of a private one, without who booked it."""
    came = booking.status == "completed"
    span, value, abroad = booking.used, booking.worth, booking.borrower_peer_id is not None
    return Line(
        booking_id=booking.id,
        kind="use" if came else "no_show",
        borrower_member_id=None if booking.private else booking.borrower_member_id,
        borrower_name=None if abroad or booking.private else booking.borrower_name,
        borrower_peer_id=booking.borrower_peer_id,
        borrower_peer_name=booking.borrower_peer_name,
        borrower_pseudonym=booking.borrower_pseudonym,
        owner_member_id=booking.owner_member_id,
        owner_name=booking.owner_name if booking.is_ours else None,
        owner_peer_id=booking.resource_origin,
        owner_peer_name=booking.origin_name,
        offer_id=booking.offer_id,
        offer_title=booking.offer_title,
        circle_id=None if booking.private else booking.circle_id,
        circle_name=None if booking.private else booking.circle_name,
        started_at=span.start,
        ended_at=span.end,
        minutes=minutes_of(span) if came else 0,
        quantity=booking.quantity,
        value=value.amount if value else None,
        unit=value.unit if value else None,
    )

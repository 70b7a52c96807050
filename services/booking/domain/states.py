"""The states of a booking, and how each is told."""

from typing import TYPE_CHECKING, Literal

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
    ChangeState,
    Party,
    Price,
    SeriesPlace,
    Status,
)

if TYPE_CHECKING:
    from services.booking.domain.booking import Booking

Side = Literal["borrower", "owner", "system"]

OCCUPYING: tuple[Status, ...] = ("held", "pending", "confirmed", "in_use", "overdue")
"""While in one of these states a booking takes its place (rule 1)."""

OPEN: tuple[Status, ...] = (*OCCUPYING, "cancelling")
"""Something may still happen to a booking in one of these states."""

AGREED: tuple[Status, ...] = ("confirmed", "in_use", "overdue", "completed", "no_show")
"""The two people may know each other from here on."""


def state_of(booking: "Booking") -> BookingState:
    """What is said of it. Names cross, and the address to a peer, only once it is agreed (rule 6)."""
    known, worth = not booking.crosses or booking.status in AGREED, booking.worth
    return BookingState(
        id=booking.id,
        offer_id=booking.offer_id,
        offer_title=booking.offer_title,
        resource_origin=booking.resource_origin,
        origin_name=booking.origin_name,
        borrower=_borrower(booking, known=known),
        owner=_owner(booking, known=known),
        start=booking.starts_at,
        end=booking.ends_at,
        time_zone=booking.time_zone,
        place_label=booking.place_label if known else None,
        quantity=booking.quantity,
        note=booking.note,
        status=booking.status,
        reason=booking.reason,
        decide_by=booking.decide_by,
        version=booking.version,
        changed_at=booking.changed_at,
        approvals=len(booking.approved_by),
        approved_by=tuple(booking.approved_by),
        circle_id=booking.circle_id,
        circle_name=booking.circle_name,
        price=Price.model_validate(booking.price) if booking.price else None,
        private=booking.private,
        instructions=booking.instructions if booking.status in AGREED else "",
        grace_minutes=booking.grace_minutes,
        checked_in_at=booking.checked_in_at,
        checked_out_at=booking.checked_out_at,
        value=worth.told() if worth else None,
        series=_series_place(booking),
        change_decided=booking.change_decided,
        change_reason=booking.change_reason,
        withdrawal_number=booking.withdrawal_number,
        proposal=proposal_of(booking),
    )


def proposal_of(booking: "Booking") -> ChangeState | None:
    """What the owner proposes to a peer's person; nothing once the booking is not simply agreed any more."""
    return ChangeState.model_validate(booking.proposal) if booking.proposal and booking.status == "confirmed" else None


def _series_place(booking: "Booking") -> SeriesPlace | None:
    if booking.series_id is None:
        return None
    return SeriesPlace(id=booking.series_id, position=booking.series_position or 0, of=booking.series_size or 0)


def _borrower(booking: "Booking", *, known: bool) -> Party:
    foreign = booking.borrower_peer_id is not None
    return Party(
        member_id=booking.borrower_member_id,
        name=booking.borrower_name if known or not foreign else None,
        peer_id=booking.borrower_peer_id,
        peer_name=booking.borrower_peer_name,
        pseudonym=booking.borrower_pseudonym,
    )


def _owner(booking: "Booking", *, known: bool) -> Party:
    foreign = booking.borrower_peer_id is not None
    return Party(
        member_id=booking.owner_member_id,
        name=booking.owner_name if known or foreign else None,
        peer_id=booking.resource_origin,
        peer_name=booking.origin_name,
    )


def told(booking: "Booking", *, by: Side = "system") -> BookingEvent:
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

"""What of our things may go to a peer. Built field by field from an allow-list, never by leaving something out."""

import re
from collections.abc import Collection
from uuid import UUID

from contracts.booking import BookingState, BusyChanged, ChangeState, ResourceState, Status, Terms, UseState
from contracts.border import (
    AnswerStatus,
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderChangeRequested,
    Proposal,
)
from contracts.catalog import Audience, ListingState
from contracts.identity import Place
from contracts.shared import RoundedPlace, SharedBusy, SharedListing, SharedResource, SharedTerms

_POSTCODE = re.compile(r"\b\d{4,5}\s+(\D.*)$")
_STREET = re.compile(
    r"(rue|ruelle|avenue|av\.?|boulevard|bd\.?|blvd\.?|place|square|chemin|allée|impasse|quai|route|passage|sentier"
    r"|chaussée|faubourg|résidence|street|road)\s"
    r"|\S+(straat|laan|steenweg|plein|dreef)\b",
    re.IGNORECASE,
)
"""How streets begin in French (and English), end in Dutch."""

DECIMALS = 2
"""Of a degree: about a kilometre."""


def rounded(place: Place | None) -> RoundedPlace | None:
    """`place` to about a kilometre, called by its town alone."""
    if place is None:
        return None
    return RoundedPlace(label=_town(place.label), latitude=_round(place.latitude), longitude=_round(place.longitude))


def _town(label: str) -> str:
    """What follows the postcode, else the last part unless it has a number or is a street. Empty rather than those."""
    last = label.rpartition(",")[2].strip()
    if after_postcode := _POSTCODE.search(last):
        return " ".join(word for word in after_postcode[1].split() if not _has_digit(word))
    return "" if _has_digit(last) or _STREET.match(last) else last


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _round(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, DECIMALS)


def shared_listing(listing: ListingState) -> SharedListing:
    """The form of `listing` that peers see: no member, no exact address."""
    return SharedListing(
        id=listing.id,
        side=listing.side,
        kind=listing.kind,
        title=listing.title,
        text=listing.text,
        category=listing.category,
        language=listing.language,
        place=rounded(listing.place),
        quantity=listing.quantity,
        unit=listing.unit,
        public=listing.audience.scope == "public",
        valid_until=listing.valid_until,
        window_start=listing.window_start,
        window_end=listing.window_end,
        urgency=listing.urgency,
        version=listing.version,
        changed_at=listing.changed_at,
        tags=listing.tags,
    )


def shared_resource(resource: ResourceState) -> SharedResource:
    """How a guest can book `resource`: no title (its listing has one), no owner."""
    return SharedResource(
        offer_id=resource.offer_id,
        time_zone=resource.time_zone,
        opening_hours=resource.opening_hours,
        step_minutes=resource.step_minutes,
        minimum_minutes=resource.minimum_minutes,
        maximum_minutes=resource.maximum_minutes,
        lead_minutes=resource.lead_minutes,
        horizon_days=resource.horizon_days,
        buffer_before_minutes=resource.buffer_before_minutes,
        buffer_after_minutes=resource.buffer_after_minutes,
        capacity=resource.capacity,
        approval=resource.approval,
        status=resource.status,
        version=resource.version,
        check_in=resource.check_in,
        grace_minutes=resource.grace_minutes,
        terms=_shared_terms(resource.terms),
    )


def _shared_terms(terms: Terms) -> SharedTerms:
    """Without whom of ours it is for, without quotas, and without what is told once a booking is confirmed."""
    return SharedTerms(
        seasons=terms.seasons,
        closures=terms.closures,
        holidays=terms.holidays,
        peers=terms.peers,
        peers_within_days=terms.peers_within_days,
        price=terms.price,
        deposit=terms.deposit,
        cancel_notice_minutes=terms.cancel_notice_minutes,
    )


def shared_busy(event: BusyChanged) -> SharedBusy:
    """Intervals only."""
    return SharedBusy(
        offer_id=event.offer_id,
        since=event.since,
        until=event.until,
        busy=event.busy,
        version=event.version,
        partly=event.partly,
    )


def booking_request(booking: BookingState, pseudonym: str) -> BorderBookingRequested:
    """Our member's wish, under the pseudonym made for that peer. Raises ValueError without a time to decide by."""
    if booking.decide_by is None:
        raise ValueError(f"the booking {booking.id} has no time to decide by")
    return BorderBookingRequested(
        booking_id=booking.id,
        offer_id=booking.offer_id,
        pseudonym=pseudonym,
        start=booking.start,
        end=booking.end,
        quantity=booking.quantity,
        note=booking.note,
        decide_by=booking.decide_by,
    )


def change_request(booking_id: UUID, change: ChangeState) -> BorderChangeRequested:
    """What our member wants a booking to become."""
    return BorderChangeRequested(
        booking_id=booking_id,
        number=change.number,
        start=change.start,
        end=change.end,
        quantity=change.quantity,
        note=change.note,
    )


_FIRST_WORDS: dict[Status, AnswerStatus] = {
    "pending": "pending",
    "confirmed": "confirmed",
    "declined": "declined",
    "cancelled": "cancelled",
    "expired": "expired",
    "completed": "completed",
    "in_use": "confirmed",
    "overdue": "confirmed",
    "no_show": "completed",
}
"""States in the words of the first readers, who do not know of uses; `held` and `cancelling` stay here."""
_USES: dict[Status, UseState] = {"in_use": "in_use", "overdue": "overdue", "no_show": "no_show"}


def booking_answer(booking: BookingState, *, start_at_risk: bool = False) -> BorderBookingAnswered | None:
    """The state of a guest's booking of our resource; None for a state that guests are not told.

    Owner and exact address are told once the booking is confirmed. `start_at_risk`: the one before it is late.
    """
    status = _FIRST_WORDS.get(booking.status)
    if status is None:
        return None
    disclosed = status in {"confirmed", "completed"}
    return BorderBookingAnswered(
        booking_id=booking.id,
        status=status,
        start=booking.start,
        end=booking.end,
        reason=booking.reason,
        owner_name=booking.owner.name if disclosed else None,
        place_label=booking.place_label if disclosed else None,
        version=booking.version,
        use=_USES.get(booking.status),
        checked_in_at=booking.checked_in_at,
        checked_out_at=booking.checked_out_at,
        value=booking.value,
        start_at_risk=start_at_risk,
        instructions=booking.instructions if disclosed else "",
        quantity=booking.quantity,
        change_decided=booking.change_decided,
        change_reason=booking.change_reason,
        withdrawals_heard=booking.withdrawal_number,
        proposal=_proposal(booking.proposal) if booking.proposal else None,
        offer_id=booking.offer_id,
    )


def _proposal(change: ChangeState) -> Proposal:
    return Proposal(
        number=change.number,
        start=change.start,
        end=change.end,
        quantity=change.quantity,
        note=change.note,
        decide_by=change.decide_by,
    )


ID_IS_TAKEN = "Cette référence est déjà utilisée : refaites la demande."
TOO_MANY_OPEN = "Trop de demandes de votre coopérative attendent déjà une réponse."


def declined(request: BorderBookingRequested, reason: str) -> BorderBookingAnswered:
    """The border's own answer to a request that booking never hears of."""
    return BorderBookingAnswered(
        booking_id=request.booking_id,
        status="declined",
        start=request.start,
        end=request.end,
        reason=reason,
        owner_name=None,
        place_label=None,
        version=1,
        offer_id=request.offer_id,
    )


FREE_FIELDS = ("text", "place", "dates")
"""What a coordinator may keep from a peer; the rest is what a listing needs to be understood and booked."""


def for_peer(form: SharedListing, withheld: Collection[str]) -> SharedListing:
    """`form` with the free fields that this peer may have, and none of the others."""
    dates = "dates" not in withheld
    return SharedListing(
        id=form.id,
        side=form.side,
        kind=form.kind,
        title=form.title,
        text=form.text if "text" not in withheld else "",
        category=form.category,
        language=form.language,
        place=form.place if "place" not in withheld else None,
        quantity=form.quantity,
        unit=form.unit,
        public=form.public,
        valid_until=form.valid_until if dates else None,
        window_start=form.window_start if dates else None,
        window_end=form.window_end if dates else None,
        urgency=form.urgency,
        version=form.version,
        changed_at=form.changed_at,
        tags=form.tags if "text" not in withheld else (),
    )


def may_go_to(audience: Audience | None, peer_id: str) -> bool:
    """Whether a listing with `audience` is for the members of `peer_id`."""
    if audience is None:
        return False
    if audience.scope == "public":
        return True
    return audience.scope == "peers" and (not audience.peer_ids or peer_id in audience.peer_ids)

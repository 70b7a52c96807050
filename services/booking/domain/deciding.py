"""Who may see, book, decide and cancel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.booking import Approval
from contracts.catalog import Scope
from contracts.identity import Role
from services.booking.domain.booking import Booking


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member of ours as far as rules ask: role, and the circles that they belong to."""

    id: UUID
    name: str
    role: Role
    circle_ids: frozenset[UUID] = frozenset()
    circle_names: Mapping[UUID, str] = field(default_factory=dict[UUID, str])

    @property
    def is_coordinator(self) -> bool:
        return self.role in {"coordinator", "administrator"}


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A copy of an offer: ours (`origin` None) or a peer's."""

    id: UUID
    origin: str | None
    origin_name: str | None
    title: str
    kind: str = ""
    category: str = ""
    owner_member_id: UUID | None
    owner_circle_id: UUID | None
    owner_name: str | None
    place_label: str | None
    scope: Scope
    circle_ids: frozenset[UUID]
    peer_ids: frozenset[str]
    valid_from: datetime | None
    valid_until: datetime | None
    published: bool

    def is_valid_at(self, now: datetime) -> bool:
        """Published, and within its validity."""
        begun = self.valid_from is None or self.valid_from <= now
        return self.published and begun and (self.valid_until is None or now < self.valid_until)


def may_see(offer: Offer, person: Person | None, now: datetime) -> bool:
    """Whether `person` (None: not signed in) may see `offer`. A peer's offer is for members unless it is public."""
    if person is None:
        return offer.scope == "public" and offer.is_valid_at(now)
    if person.is_coordinator or person.id == offer.owner_member_id:
        return offer.published
    if not offer.is_valid_at(now):
        return False
    circles = offer.circle_ids | ({offer.owner_circle_id} if offer.owner_circle_id else frozenset())
    return offer.scope != "circle" or bool(circles & person.circle_ids)


def is_shared_with(offer: Offer, peer_id: str, now: datetime) -> bool:
    """Whether our `offer` may be seen by the members of that peer."""
    if not offer.is_valid_at(now):
        return False
    return offer.scope == "public" or (offer.scope == "peers" and (not offer.peer_ids or peer_id in offer.peer_ids))


def may_decide(booking: Booking, person: Person, approval: Approval) -> bool:
    """Rule 9: never on one's own request, nor twice; the owner or a coordinator, or coordinators alone."""
    return would_decide(booking, person, approval) and person.id not in booking.approved_by


def would_decide(booking: Booking, person: Person, approval: Approval) -> bool:
    """Whether this person decides on what the borrower asks for."""
    if not booking.is_ours or booking.borrower_member_id == person.id:
        return False
    owner_may = (approval != "coordinator" or booking.private) and booking.owner_member_id == person.id
    return owner_may or _coordinates(booking, person)


def may_read(booking: Booking, person: Person) -> bool:
    """The two people concerned, and coordinators unless it is private."""
    return _coordinates(booking, person) or person.id in {booking.borrower_member_id, booking.owner_member_id}


def may_cancel(booking: Booking, person: Person, now: datetime) -> bool:
    """The borrower until the notice begins; owner and coordinators once it is confirmed, and only what is ours.

    Before it is confirmed they decline. At a peer's resource the borrower may always ask: the peer answers.
    """
    if not booking.may_be_cancelled(now):
        return False
    if booking.borrower_member_id == person.id and (not booking.is_ours or booking.is_within_notice(now)):
        return True
    lends = _coordinates(booking, person) or booking.owner_member_id == person.id
    return booking.is_ours and booking.status == "confirmed" and lends


def _coordinates(booking: Booking, person: Person) -> bool:
    """What is private is not the coordinators' to see, nor to decide."""
    return person.is_coordinator and not booking.private

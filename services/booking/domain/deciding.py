"""Who may see, book, decide and cancel."""

from dataclasses import dataclass
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
    kind: str | None = None

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
    """Rule 9: never on one's own request; the owner or a coordinator, coordinators alone where the resource says so."""
    if not booking.is_ours or booking.borrower_member_id == person.id:
        return False
    owner_may = approval != "coordinator" and booking.owner_member_id == person.id
    return owner_may or person.is_coordinator


def may_read(booking: Booking, person: Person) -> bool:
    """The two people concerned, and coordinators."""
    return person.is_coordinator or person.id in {booking.borrower_member_id, booking.owner_member_id}


def may_cancel(booking: Booking, person: Person, now: datetime) -> bool:
    """The borrower; owner and coordinators once it is confirmed (before, they decline), and only what is ours."""
    if not booking.may_be_cancelled(now):
        return False
    if booking.borrower_member_id == person.id:
        return True
    return booking.is_ours and booking.status == "confirmed" and may_read(booking, person)

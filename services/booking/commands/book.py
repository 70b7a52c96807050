"""Booking a resource: ours, for a member or for a peer's person; or a peer's, for a member of ours."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.arrivals import asked_on_arrival
from services.booking.commands.binding import Binding, Outcome, bind
from services.booking.commands.expiring import expire_in_the_way
from services.booking.commands.handing_out import hand_out
from services.booking.commands.quotas import check_quotas
from services.booking.commands.refusing import taken
from services.booking.commands.telling import tell
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.eligibility import Asking, check_may_ask
from services.booking.domain.limits import NotInCircle
from services.booking.domain.problems import (
    LinkNotOpen,
    NotBookable,
    OfferUnknown,
    Recovering,
    ResourceIsClosed,
    RulesChangedMeanwhile,
    TooManyPending,
)
from services.booking.domain.requests import check_request, decide_by, is_free
from services.booking.domain.spans import Span
from services.booking.resources import Resource


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for. `decide_by`: an earlier end of the time to decide, when the asking peer names one.

    `circle_id`: the circle on whose behalf. `hold_id`: the member's own hold that makes way for it.
    `waiting_id`: the wish of a waiting list that it is to fulfil.
    """

    id: UUID
    offer_id: UUID
    period: Span
    quantity: int
    note: str
    decide_by: datetime | None = None
    circle_id: UUID | None = None
    hold_id: UUID | None = None
    waiting_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Borrower:
    """Who asks: a member of ours (`person`), or a peer's person under a pseudonym.

    `limit`: how many requests may wait (rule 8).
    """

    limit: int
    person: Person | None = None
    peer_id: str | None = None
    peer_name: str | None = None
    pseudonym: str | None = None

    @property
    def name(self) -> str | None:
        return self.person.name if self.person else None

    def asking_for(self, offer: Offer) -> Asking:
        return Asking(person=self.person, peer_id=self.peer_id, owner_id=offer.owner_member_id)


async def book(
    session: AsyncSession, wanted: Wanted, *, origin: str | None, by: Person, limit: int, now: datetime
) -> Booking:
    """Book for a member of ours: confirmed at once, or pending.

    Raises OfferUnknown, NotBookable, ResourceIsClosed, InvalidFields, NotForYou, ResourceIsTaken, TooManyPending,
    QuotaReached, LinkNotOpen, NotInCircle.
    """
    offer = await bookable_offer(session, wanted.offer_id, origin, by=by, now=now)
    borrower = Borrower(limit=limit, person=by)
    check_circle(wanted, by)
    if origin is None:
        return await take(session, offer, wanted, borrower, now=now)
    return await _ask_peer(session, offer, wanted, borrower, now=now)


def check_circle(wanted: Wanted, by: Person) -> None:
    """Raises NotInCircle."""
    if wanted.circle_id is not None and wanted.circle_id not in by.circle_ids:
        raise NotInCircle


async def bookable_offer(
    session: AsyncSession, offer_id: UUID, origin: str | None, *, by: Person, now: datetime
) -> Offer:
    """The offer, when `by` may see it and it stands. Raises OfferUnknown, LinkNotOpen."""
    if origin is not None and not await queries.is_linked(session, origin, hold=True):
        raise LinkNotOpen
    return bookable(await queries.offer(session, offer_id, origin), by=by, now=now)


def bookable(offer: Offer | None, *, by: Person, now: datetime) -> Offer:
    """`offer`, when `by` may see it and it stands. Raises OfferUnknown."""
    if offer is None or not may_see(offer, by, now) or not offer.is_valid_at(now):
        raise OfferUnknown
    return offer


async def take(session: AsyncSession, offer: Offer, wanted: Wanted, borrower: Borrower, *, now: datetime) -> Booking:
    """Take a period of our own resource, under its rules. Raises like `book`, and RulesChangedMeanwhile."""
    resource = await queries.resource(session, offer.id, offer.origin)
    resource, binding = prepared(offer, resource, wanted, borrower, now=now)
    await check_quotas(session, resource, binding.booking)
    outcome = await bind_now(session, binding)
    if outcome == "too_many_waiting":
        raise TooManyPending(limit=borrower.limit)
    if outcome == "taken":
        raise await taken(session, offer, resource, binding.booking, by=borrower.person, now=now)
    if outcome != "bound":
        raise RulesChangedMeanwhile
    return binding.booking


def prepared(
    offer: Offer, resource: Resource | None, wanted: Wanted, borrower: Borrower, *, now: datetime
) -> tuple[Resource, Binding]:
    """The booking of our own resource as the rules allow it, to be bound; quotas are still to be counted.

    Raises NotBookable, ResourceIsClosed, InvalidFields, NotForYou, NotForPeers, TooEarlyForPeers, Recovering.
    """
    resource = checked(resource, wanted, borrower.asking_for(offer), now=now)
    waits = resource.approval != "automatic"
    booking = new_booking(offer, wanted, borrower, resource, now)
    booking.status = "pending" if waits else "confirmed"
    if waits:
        until = decide_by(resource.rules, wanted.period, now)
        booking.decide_by = min(until, wanted.decide_by or until)
    elif resource.recovering:
        raise Recovering
    return resource, Binding(
        booking=booking,
        under=resource.version,
        event=booking.asked(),
        line={"what": "requested" if waits else "booked", "by_name": borrower.name},
        limit=borrower.limit if waits else None,
        releases=wanted.hold_id,
    )


async def checked_resource(
    session: AsyncSession, offer: Offer, wanted: Wanted, asking: Asking, *, now: datetime
) -> Resource:
    """The resource of `offer`, when its rules allow what is wanted, whether it is free or not.

    Raises NotBookable, ResourceIsClosed, InvalidFields, NotForYou.
    """
    return checked(await queries.resource(session, offer.id, offer.origin), wanted, asking, now=now)


def checked(resource: Resource | None, wanted: Wanted, asking: Asking, *, now: datetime) -> Resource:
    """`resource`, like `checked_resource`."""
    if resource is None:
        raise NotBookable
    if not resource.is_open:
        raise ResourceIsClosed
    check_request(resource.rules, wanted.period, quantity=wanted.quantity, now=now)
    check_may_ask(resource.rules, resource.terms, asking, wanted.period, now=now)
    return resource


async def bind_now(session: AsyncSession, binding: Binding) -> Outcome:
    """Bind a booking of our resource; requests in its way that nobody decided in time give way first (rule 8).

    What that, or anything else, has made free goes to those who wait for it, before the booking is looked at again.
    """
    booking = binding.booking
    for _ in range(4):
        outcome = await bind(session, binding)
        if outcome != "expire_first":
            return outcome
        await expire_in_the_way(session, booking)
        binding = replace(binding)  # its event comes after those of what has ended
        if booking.waiting_id is None:
            await hand_out(session, booking.offer_id)
    return "taken"


async def _ask_peer(
    session: AsyncSession, offer: Offer, wanted: Wanted, borrower: Borrower, *, now: datetime
) -> Booking:
    """Ask for a peer's resource. Our copies tell plain mistakes at once; the peer decides."""
    resource = await checked_resource(session, offer, wanted, Asking(peer_id=offer.origin), now=now)
    booking = new_booking(offer, wanted, borrower, resource, now)
    around = search_window(wanted.period)
    occupied = await queries.occupied(session, offer.id, around, origin=offer.origin)
    if not is_free(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now):
        raise await taken(session, offer, resource, booking, by=borrower.person, now=now)
    await check_pending(session, borrower)
    booking.decide_by = decide_by(resource.rules, wanted.period, now)
    session.add(booking)
    await tell(session, booking, booking.asked(), by=borrower.name, what="requested")
    return booking


async def check_pending(session: AsyncSession, borrower: Borrower) -> None:
    """Rule 8, also for two requests at once: those of one borrower pass here one after the other.

    Raises TooManyPending.
    """
    member_id = borrower.person.id if borrower.person else None
    await one_after_the_other(session, borrower.peer_id or member_id)
    waiting = await queries.pending_count(session, member_id=member_id, peer_id=borrower.peer_id)
    if waiting >= borrower.limit:
        raise TooManyPending(limit=borrower.limit)


async def one_after_the_other(session: AsyncSession, whose: str | UUID | None) -> None:
    """What waits of one member (by id), or of one peer, is counted and added to by one transaction after the other."""
    key = sa.func.hashtextextended(f"pending:{whose}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def new_booking(offer: Offer, wanted: Wanted, borrower: Borrower, resource: Resource, now: datetime) -> Booking:
    """The booking as it would be, not yet decided on."""
    person, terms = borrower.person, resource.terms
    return Booking(
        id=wanted.id,
        offer_id=offer.id,
        offer_title=offer.title,
        resource_origin=offer.origin,
        origin_name=offer.origin_name,
        borrower_member_id=person.id if person else None,
        borrower_name=borrower.name,
        borrower_peer_id=borrower.peer_id,
        borrower_peer_name=borrower.peer_name,
        borrower_pseudonym=borrower.pseudonym,
        owner_member_id=offer.owner_member_id,
        owner_name=offer.owner_name,
        starts_at=wanted.period.start,
        ends_at=wanted.period.end,
        occupied=resource.rules.occupied(wanted.period),
        exclusive=resource.rules.capacity == 1,
        time_zone=resource.rules.time_zone,
        place_label=offer.place_label,
        quantity=wanted.quantity,
        note=wanted.note,
        circle_id=wanted.circle_id,
        circle_name=person.circle_names.get(wanted.circle_id) if person and wanted.circle_id else None,
        price=terms.price.model_dump() if terms.price else None,
        instructions=terms.instructions,
        cancel_notice_minutes=terms.cancel_notice_minutes,
        private=terms.private,
        waiting_id=wanted.waiting_id,
        status="pending",
        reason=None,
        decide_by=None,
        remote_version=0,
        version=1,
        created_at=now,
        changed_at=now,
        **asked_on_arrival(resource, here=offer.origin is None),
    )

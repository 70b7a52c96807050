"""Booking a resource: ours, for a member or for a peer's person; or a peer's, for a member of ours."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.arrivals import asked_on_arrival
from services.booking.commands.telling import tell, tell_busy
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.problems import (
    LinkNotOpen,
    NotBookable,
    OfferUnknown,
    ResourceIsClosed,
    ResourceIsTaken,
    RulesChangedMeanwhile,
    TooManyPending,
)
from services.booking.domain.requests import check_request, decide_by, taken
from services.booking.domain.spans import Span
from services.booking.resources import Resource
from services.booking.tables import NEVER_OVERLAP, bookings


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for. `decide_by`: an earlier end of the time to decide, when the asking peer names one."""

    id: UUID
    offer_id: UUID
    period: Span
    quantity: int
    note: str
    decide_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Borrower:
    """Who asks: a member of ours, or a peer's person under a pseudonym.

    `limit`: how many requests may wait (rule 8).
    """

    limit: int
    member_id: UUID | None = None
    peer_id: str | None = None
    peer_name: str | None = None
    name: str | None = None
    pseudonym: str | None = None


async def book(
    session: AsyncSession, wanted: Wanted, *, origin: str | None, by: Person, limit: int, now: datetime
) -> Booking:
    """Book for a member of ours: confirmed at once, or pending.

    Raises OfferUnknown, NotBookable, ResourceIsClosed, InvalidFields, ResourceIsTaken, TooManyPending, LinkNotOpen.
    """
    if origin is not None and not await queries.is_linked(session, origin, hold=True):
        raise LinkNotOpen
    offer = await queries.offer(session, wanted.offer_id, origin)
    if offer is None or not may_see(offer, by, now) or not offer.is_valid_at(now):
        raise OfferUnknown
    borrower = Borrower(limit=limit, member_id=by.id, name=by.name)
    if origin is None:
        return await take(session, offer, wanted, borrower, now=now)
    return await _ask_peer(session, offer, wanted, borrower, now=now)


async def take(session: AsyncSession, offer: Offer, wanted: Wanted, borrower: Borrower, *, now: datetime) -> Booking:
    """Take a period of our own resource, under its rules. Raises like `book`, and RulesChangedMeanwhile."""
    resource = await _checked(session, offer, wanted, now)
    waits = resource.approval != "automatic"
    if waits:
        await _check_pending(session, borrower)
    until = decide_by(resource.rules, wanted.period, now)
    booking = _new(offer, wanted, borrower, resource, now)
    booking.status = "pending" if waits else "confirmed"
    booking.decide_by = min(until, wanted.decide_by or until) if waits else None
    await _expire_in_the_way(session, booking, now)
    if not await _insert(session, booking):
        raise await _taken(session, offer, resource, wanted, now)
    stored = await queries.booking(session, booking.id)
    current = await tell_busy(session, offer.id, now)
    if stored is None or current is None or current.version != resource.version:
        raise RulesChangedMeanwhile
    await tell(session, stored, stored.asked(), by=borrower.name, what="requested" if waits else "booked")
    return stored


async def _ask_peer(
    session: AsyncSession, offer: Offer, wanted: Wanted, borrower: Borrower, *, now: datetime
) -> Booking:
    """Ask for a peer's resource. Our copies tell plain mistakes at once; the peer decides."""
    resource = await _checked(session, offer, wanted, now)
    await _check_pending(session, borrower)
    booking = _new(offer, wanted, borrower, resource, now)
    booking.status = "pending"
    booking.decide_by = decide_by(resource.rules, wanted.period, now)
    session.add(booking)
    await tell(session, booking, booking.asked(), by=borrower.name, what="requested")
    return booking


async def _checked(session: AsyncSession, offer: Offer, wanted: Wanted, now: datetime) -> Resource:
    """The resource, when its rules allow what is wanted."""
    resource = await queries.resource(session, offer.id, offer.origin)
    if resource is None:
        raise NotBookable
    if not resource.is_open:
        raise ResourceIsClosed
    occupied = await _occupied_around(session, offer, wanted.period)
    try:
        check_request(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now)
    except ResourceIsTaken:
        raise await _taken(session, offer, resource, wanted, now) from None
    return resource


async def _occupied_around(session: AsyncSession, offer: Offer, period: Span) -> list[Span]:
    if period.end <= period.start:
        return []
    return await queries.occupied(session, offer.id, search_window(period), origin=offer.origin)


async def _taken(
    session: AsyncSession, offer: Offer, resource: Resource, wanted: Wanted, now: datetime
) -> ResourceIsTaken:
    occupied = await _occupied_around(session, offer, wanted.period)
    return taken(resource.rules, wanted.period, occupied=occupied, now=now)


async def _check_pending(session: AsyncSession, borrower: Borrower) -> None:
    """Rule 8, also for two requests at once: those of one borrower pass here one after the other."""
    key = f"pending:{borrower.peer_id or borrower.member_id}"
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))
    waiting = await queries.pending_count(session, member_id=borrower.member_id, peer_id=borrower.peer_id)
    if waiting >= borrower.limit:
        raise TooManyPending(limit=borrower.limit)


async def _expire_in_the_way(session: AsyncSession, wanted: Booking, now: datetime) -> None:
    """Requests that nobody decided in time give way here and now, by the database's clock (rule 8)."""
    blocking = (
        sa.select(Booking)
        .where(bookings.c.offer_id == wanted.offer_id, bookings.c.resource_origin.is_(None))
        .where(bookings.c.status == "pending", bookings.c.decide_by <= sa.func.now())
        .where(bookings.c.occupied.op("&&")(wanted.occupied))
        .order_by(bookings.c.id)
        .with_for_update()
    )
    for booking in (await session.execute(blocking)).scalars().all():
        await tell(session, booking, booking.expire(now=now))


async def _insert(session: AsyncSession, booking: Booking) -> bool:
    """Insert unless the exclusion constraint finds an overlap.

    ON CONFLICT makes concurrent overlapping inserts wait for each other; a plain insert of both ends in a deadlock.
    """
    values = {column.name: getattr(booking, column.name) for column in bookings.c}
    adding = insert(bookings).values(values).on_conflict_do_nothing(constraint=NEVER_OVERLAP).returning(bookings.c.id)
    return (await session.execute(adding)).scalar() is not None


def _new(offer: Offer, wanted: Wanted, borrower: Borrower, resource: Resource, now: datetime) -> Booking:
    return Booking(
        id=wanted.id,
        offer_id=offer.id,
        offer_title=offer.title,
        resource_origin=offer.origin,
        origin_name=offer.origin_name,
        borrower_member_id=borrower.member_id,
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
        status="pending",
        reason=None,
        decide_by=None,
        remote_version=0,
        version=1,
        created_at=now,
        changed_at=now,
        **asked_on_arrival(resource, here=offer.origin is None),
    )

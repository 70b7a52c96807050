"""Reads: rows to what the rules and the views ask for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Interval
from contracts.border import SharedResource
from services.booking.domain.booking import OCCUPYING, OPEN, Booking
from services.booking.domain.deciding import Offer, Person
from services.booking.domain.spans import Span
from services.booking.resources import Resource, resource_from, resource_of
from services.booking.tables import (
    OURS,
    bookings,
    circles,
    history,
    links,
    members,
    offers,
    peer_busy,
    peer_resources,
    resources,
)
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed

LINKED = ("active", "paused")
"""A link in one of these states carries bookings (while paused, later)."""


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """What happened to a booking, when (UTC), and the name of who did it (None: nobody of ours)."""

    at: datetime
    what: str
    by_name: str | None


async def database_time(session: AsyncSession) -> datetime:
    """The database's clock, the same for every replica (UTC)."""
    return (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()


async def person_of(session: AsyncSession, actor: Actor) -> Person:
    """The member behind a token, with circles. Raises NotAllowed when they have left."""
    status = (await session.execute(sa.select(members.c.status).where(members.c.id == actor.id))).scalar()
    if status == "left":
        raise NotAllowed
    return Person(id=actor.id, name=actor.name, role=actor.role, circle_ids=await circles_of(session, actor.id))


async def member(session: AsyncSession, member_id: UUID) -> Person | None:
    """An active member of ours; None when unknown or gone."""
    row = (
        await session.execute(sa.select(members).where(members.c.id == member_id, members.c.status == "active"))
    ).first()
    if row is None:
        return None
    return Person(id=row.id, name=row.name, role=row.role, circle_ids=await circles_of(session, member_id))


async def circles_of(session: AsyncSession, member_id: UUID) -> frozenset[UUID]:
    """The open circles that a member belongs to."""
    found = sa.select(circles.c.id).where(circles.c.status == "active", circles.c.member_ids.contains([member_id]))
    return frozenset((await session.execute(found)).scalars())


async def offer(session: AsyncSession, offer_id: UUID, origin: str | None = None) -> Offer | None:
    """The copy of an offer, ours or that of a peer with which there is a link; None when there is none."""
    row = (
        await session.execute(sa.select(offers).where(offers.c.origin == (origin or OURS), offers.c.id == offer_id))
    ).first()
    if row is None or (origin is not None and not await is_linked(session, origin)):
        return None
    return Offer(
        id=row.id,
        origin=origin,
        origin_name=row.origin_name,
        title=row.title,
        owner_member_id=row.owner_member_id,
        owner_circle_id=row.owner_circle_id,
        owner_name=row.owner_name,
        place_label=row.place_label,
        scope=row.scope,
        circle_ids=frozenset(row.circle_ids),
        peer_ids=frozenset(row.peer_ids),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        published=row.published,
    )


async def is_linked(session: AsyncSession, peer_id: str, *, hold: bool = False) -> bool:
    """Whether a link with that peer stands; with `hold`, it does not end before the transaction has."""
    found = sa.select(links.c.link_id).where(links.c.peer_id == peer_id, links.c.status.in_(LINKED)).limit(1)
    found = found.with_for_update(read=True) if hold else found
    return (await session.execute(found)).first() is not None


async def has_ended_with(session: AsyncSession, peer_id: str) -> bool:
    """Whether there was a link with that peer, and none is there now. What stands does not end before we have."""
    found = sa.select(links.c.status).where(links.c.peer_id == peer_id).with_for_update(read=True)
    statuses = set((await session.execute(found)).scalars())
    return statuses == {"ended"}


async def resource(session: AsyncSession, offer_id: UUID, origin: str | None = None) -> Resource | None:
    """How an offer can be booked; None when nobody has said."""
    if origin is None:
        row = (await session.execute(sa.select(resources).where(resources.c.offer_id == offer_id))).first()
        return resource_of(row) if row is not None else None
    copy = sa.select(peer_resources.c.resource).where(
        peer_resources.c.origin == origin, peer_resources.c.offer_id == offer_id
    )
    told = (await session.execute(copy)).scalar()
    return resource_from(SharedResource.model_validate(told)) if told is not None else None


async def occupied(
    session: AsyncSession, offer_id: UUID, window: Span, *, origin: str | None = None, excluding: UUID | None = None
) -> list[Span]:
    """What bookings occupy within `window`, sorted; without requests whose time to be decided is over.

    For a peer's resource: what the peer told, and what our own members have asked for since.
    """
    here = (
        sa.select(bookings.c.occupied)
        .where(bookings.c.offer_id == offer_id, bookings.c.occupied.op("&&")(window))
        .where(bookings.c.resource_origin == origin if origin is not None else bookings.c.resource_origin.is_(None))
        .where(bookings.c.status.in_(OCCUPYING))
    )
    if origin is None:
        overdue = sa.and_(bookings.c.status == "pending", bookings.c.decide_by <= sa.func.now())
        here = here.where(sa.not_(overdue))
    if excluding is not None:
        here = here.where(bookings.c.id != excluding)
    spans = [span for span in (await session.execute(here)).scalars() if span is not None]
    if origin is not None:
        told, _ = await peer_busy_times(session, origin, offer_id)
        spans += [span for span in told if span.overlaps(window)]
    return sorted(spans)


async def peer_busy_times(session: AsyncSession, origin: str, offer_id: UUID) -> tuple[list[Span], datetime | None]:
    """The busy times that a peer has told of its resource, and when it last did."""
    copy = sa.select(peer_busy.c.busy, peer_busy.c.received_at)
    row = (await session.execute(copy.where(peer_busy.c.origin == origin, peer_busy.c.offer_id == offer_id))).first()
    if row is None:
        return [], None
    intervals = [Interval.model_validate(one) for one in row.busy]
    return [Span(one.start, one.end) for one in intervals], row.received_at


async def booking(session: AsyncSession, booking_id: UUID, *, lock: bool = False) -> Booking | None:
    """A booking by its id; with `lock`, held until the transaction ends."""
    found = sa.select(Booking).where(bookings.c.id == booking_id).execution_options(populate_existing=True)
    return (await session.execute(found.with_for_update() if lock else found)).scalar()


async def history_of(session: AsyncSession, booking_ids: list[UUID]) -> dict[UUID, list[HistoryLine]]:
    """What happened to each of these bookings, oldest first."""
    found = sa.select(history).where(history.c.booking_id.in_(booking_ids)).order_by(history.c.number)
    lines: dict[UUID, list[HistoryLine]] = {booking_id: [] for booking_id in booking_ids}
    for row in await session.execute(found):
        lines[row.booking_id].append(HistoryLine(at=row.at, what=row.what, by_name=row.by_name))
    return lines


async def approvals_of(session: AsyncSession, offer_ids: set[UUID]) -> dict[UUID, Any]:
    """How requests for each of our resources are decided."""
    found = sa.select(resources.c.offer_id, resources.c.approval).where(resources.c.offer_id.in_(offer_ids))
    return {row.offer_id: row.approval for row in await session.execute(found)}


async def upcoming(session: AsyncSession, offer_id: UUID, now: datetime) -> int:
    """How many bookings of our resource are open and not over."""
    found = sa.select(sa.func.count()).where(
        bookings.c.offer_id == offer_id,
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(OPEN),
        bookings.c.ends_at > now,
    )
    return (await session.execute(found)).scalar_one()


async def pending_count(session: AsyncSession, *, member_id: UUID | None = None, peer_id: str | None = None) -> int:
    """How many requests of a member (here and at peers) or of a peer wait for a decision."""
    whose = bookings.c.borrower_member_id == member_id if peer_id is None else bookings.c.borrower_peer_id == peer_id
    found = sa.select(sa.func.count()).where(
        whose,
        bookings.c.status.in_(("pending", "cancelling")),
        sa.or_(bookings.c.resource_origin.is_not(None), bookings.c.decide_by > sa.func.now()),
    )
    return (await session.execute(found)).scalar_one()

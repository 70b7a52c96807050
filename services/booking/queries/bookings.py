"""Bookings: what they occupy, how many wait, and what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import OCCUPYING, OPEN, Booking
from services.booking.domain.spans import Span
from services.booking.queries.calendars import external_busy
from services.booking.queries.offers import peer_busy_times
from services.booking.tables import bookings, history, resources


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """What happened to a booking, when (UTC), and the name of who did it (None: nobody of ours)."""

    at: datetime
    what: str
    by_name: str | None


async def database_time(session: AsyncSession) -> datetime:
    """The database's clock, the same for every replica (UTC)."""
    return (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()


async def occupied(
    session: AsyncSession, offer_id: UUID, window: Span, *, origin: str | None = None, excluding: UUID | None = None
) -> list[Span]:
    """What is taken within `window`, sorted; without requests whose time to be decided is over.

    Ours is taken by bookings, and by the calendar elsewhere of the person whose time it is.
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
    else:
        spans += await external_busy(session, offer_id, window)
    return sorted(spans)


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

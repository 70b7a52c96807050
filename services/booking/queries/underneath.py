"""Bookings to come of a resource of ours, for whoever must settle what changes underneath."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import Booking
from services.booking.tables import bookings, history, members, resources

MOST = 500
TO_COME = ("pending", "confirmed")


async def to_come(session: AsyncSession, offer_id: UUID, now: datetime) -> list[Booking]:
    """Requests and bookings of our resource that have not begun, the next one first."""
    found = (
        sa.select(Booking)
        .where(bookings.c.offer_id == offer_id, bookings.c.resource_origin.is_(None))
        .where(bookings.c.status.in_(TO_COME), bookings.c.starts_at > now)
        .order_by(bookings.c.starts_at, bookings.c.id)
        .limit(MOST)
    )
    return list((await session.execute(found)).scalars())


async def kept(session: AsyncSession, offer_id: UUID) -> set[UUID]:
    """Bookings that somebody chose to keep since the rules of the resource last changed."""
    found = (
        sa.select(history.c.booking_id)
        .join(bookings, bookings.c.id == history.c.booking_id)
        .join(resources, resources.c.offer_id == bookings.c.offer_id)
        .where(bookings.c.offer_id == offer_id, history.c.what == "kept", history.c.at >= resources.c.changed_at)
    )
    return set((await session.execute(found)).scalars())


async def has_left(session: AsyncSession, member_id: UUID | None) -> bool:
    """Whether this was a member of ours."""
    if member_id is None:
        return False
    found = sa.select(members.c.id).where(members.c.id == member_id, members.c.status == "left")
    return (await session.execute(found)).first() is not None


def is_orphaned(now: datetime) -> sa.ColumnElement[bool]:
    """Requests and bookings to come of our resources whose owner has left."""
    gone = sa.select(members.c.id).where(members.c.status == "left")
    return sa.and_(
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(TO_COME),
        bookings.c.ends_at > now,
        sa.or_(bookings.c.owner_member_id.is_(None), bookings.c.owner_member_id.in_(gone)),
    )

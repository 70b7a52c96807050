"""Who takes the place that an overdue booking would keep."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span
from services.booking.domain.states import OCCUPYING
from services.booking.resources import Resource, resource_of
from services.booking.tables import bookings, changes, resources


@dataclass(frozen=True, kw_only=True)
class Occupying:
    """What another booking occupies, and how many pieces of it."""

    booking_id: UUID
    span: Span
    quantity: int


async def occupying_after(session: AsyncSession, booking: Booking, window: Span) -> list[Occupying]:
    """What others occupy of the same resource within `window`, and what they ask to change to."""
    if window.end <= window.start:
        return []
    found = sa.select(bookings.c.id, bookings.c.occupied, bookings.c.quantity).where(
        bookings.c.offer_id == booking.offer_id,
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(OCCUPYING),
        bookings.c.occupied.op("&&")(window),
        bookings.c.id != booking.id,
    )
    wanted = sa.select(changes.c.booking_id, changes.c.occupied, changes.c.quantity).where(
        changes.c.offer_id == booking.offer_id,
        changes.c.occupied.op("&&")(window),
        changes.c.booking_id != booking.id,
    )
    rows = [*await session.execute(found), *await session.execute(wanted)]
    return [Occupying(booking_id=row[0], span=row[1], quantity=row[2]) for row in rows]


async def resource_held(session: AsyncSession, offer_id: UUID) -> Resource | None:
    """How our offer can be booked; nobody else changes it, nor what is told of it, before the transaction ends."""
    found = sa.select(resources).where(resources.c.offer_id == offer_id).with_for_update(key_share=True)
    row = (await session.execute(found)).first()
    return resource_of(row) if row is not None else None

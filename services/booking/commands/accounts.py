"""Keeping the accounts."""

from dataclasses import asdict

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.accounts import line_of
from services.booking.domain.booking import Booking
from services.booking.tables import uses


async def record(session: AsyncSession, booking: Booking) -> None:
    """Write the line of a booking that is over, in the transaction that ends it; a second one is never written."""
    line = insert(uses).values(**asdict(line_of(booking)), recorded_at=booking.changed_at)
    await session.execute(line.on_conflict_do_nothing())

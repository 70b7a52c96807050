"""Series and their bookings."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import Booking
from services.booking.domain.series import Series
from services.booking.tables import bookings, series


async def series_of(session: AsyncSession, series_id: UUID) -> Series | None:
    """A series by its id."""
    return (await session.execute(sa.select(Series).where(series.c.id == series_id))).scalar()


async def bookings_of_series(session: AsyncSession, series_id: UUID, *, lock: bool = False) -> list[Booking]:
    """Its bookings, in the order of the rule; with `lock`, held until the transaction ends."""
    found = sa.select(Booking).where(bookings.c.series_id == series_id).order_by(bookings.c.occurrence)
    found = found.execution_options(populate_existing=True)
    return list((await session.execute(found.with_for_update() if lock else found)).scalars())

"""Series and their bookings."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import Booking
from services.booking.domain.series import Series
from services.booking.domain.spans import Span
from services.booking.tables import bookings, series


async def series_of(session: AsyncSession, series_id: UUID) -> Series | None:
    """A series by its id."""
    return (await session.execute(sa.select(Series).where(series.c.id == series_id))).scalar()


async def bookings_of_series(session: AsyncSession, series_id: UUID, *, lock: bool = False) -> list[Booking]:
    """Its bookings, in the order of the rule; with `lock`, held until the transaction ends."""
    found = sa.select(Booking).where(bookings.c.series_id == series_id).order_by(bookings.c.occurrence)
    found = found.execution_options(populate_existing=True)
    return list((await session.execute(found.with_for_update() if lock else found)).scalars())


async def dates_that_wait(session: AsyncSession, series_ids: Collection[UUID]) -> list[tuple[UUID, UUID, Span]]:
    """Series, booking and period of each request that waits of these series, in the order of time."""
    if not series_ids:
        return []
    found = sa.select(bookings.c.series_id, bookings.c.id, bookings.c.starts_at, bookings.c.ends_at).where(
        bookings.c.series_id.in_(series_ids), bookings.c.status == "pending"
    )
    rows = await session.execute(found.order_by(bookings.c.starts_at, bookings.c.id))
    return [(row.series_id, row.id, Span(row.starts_at, row.ends_at)) for row in rows]

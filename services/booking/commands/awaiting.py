"""Just after a restore from a backup: what has to wait for what peers hand back."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import BookingRequestReceived
from services.booking.domain.problems import Recovering
from services.booking.tables import bookings, recovery, resources, withdrawals

RECOVERY_IS_AWAITED = timedelta(minutes=30)
"""A request that comes again meanwhile may be one that we had confirmed: what is handed back tells."""


async def recovery_is_young(session: AsyncSession, now: datetime) -> bool:
    """Whether what a peer asks is better tried again: peers are still handing back what we had confirmed."""
    said = (await session.execute(sa.select(recovery.c.version).where(recovery.c.recovering))).scalar_one_or_none()
    return said is not None and now - datetime.fromtimestamp(said / 1000, UTC) < RECOVERY_IS_AWAITED


async def check_awaited(session: AsyncSession, asked: BookingRequestReceived, *, now: datetime) -> None:
    """Raises Recovering while nothing can be said of a request: peers may hand it back as one that we had confirmed.

    Looked at before the peer's turn is taken: after a restore all that it has asked since the backup comes at once, and
    beside it what it hands back, which needs its turn.
    """
    held = sa.exists().where(
        resources.c.offer_id == asked.offer_id, resources.c.recovering, resources.c.approval == "automatic"
    )
    known = sa.exists().where(bookings.c.id == asked.booking_id)
    withdrawn = sa.exists().where(withdrawals.c.origin == asked.origin, withdrawals.c.booking_id == asked.booking_id)
    found = sa.select(sa.and_(held, sa.not_(known), sa.not_(withdrawn)))
    if (await session.execute(found)).scalar_one() and await recovery_is_young(session, now):
        raise Recovering

"""What is kept no longer than it serves: ended mails, old notifications, what was handled long ago."""

import asyncio
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.notify.tables import bookings, deliveries, inbox, notifications, sessions

EVERY_SECONDS = 3600.0
FIRST_SECONDS = 60.0
KEEP_ENDED_MAILS = timedelta(days=30)
KEEP_NOTIFICATIONS = timedelta(days=365)
KEEP_HANDLED = timedelta(days=60)
"""Longer than the longest replay (30 days)."""

_log = logs.get(__name__)


class Sweeping:
    """Sweeps every hour until cancelled."""

    def __init__(self, db: Database, clock: Clock | None = None) -> None:
        self._db = db
        self._clock = clock or Clock()

    async def run(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self._db.run(sweep, now=self._clock.now())
            except Exception as error:  # noqa: BLE001 - nothing is lost by sweeping an hour later
                _log.warning("sweeping-interrupted", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY_SECONDS)


async def sweep(session: AsyncSession, *, now: datetime) -> None:
    """Delete what is older than its time."""
    for column, kept in (
        (deliveries.c.done_at, KEEP_ENDED_MAILS),
        (notifications.c.at, KEEP_NOTIFICATIONS),
        (bookings.c.ends_at, KEEP_NOTIFICATIONS),
        (sessions.c.ends_at, KEEP_HANDLED),
        (inbox.c.at, KEEP_HANDLED),
    ):
        await session.execute(sa.delete(column.table).where(column < now - kept))

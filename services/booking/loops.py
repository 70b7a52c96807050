"""The loop that lets time pass for bookings. Any number of replicas may run it."""

import asyncio

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.booking.commands.overdue import complete_returned, hold_for_overdue, mark_overdue, release_no_shows
from services.booking.commands.time_passes import BATCH, complete_past, expire_undecided, forget_ended_peers
from services.chassis import logs
from services.chassis.database import Database

_log = logs.get(__name__)
_DUE = (
    expire_undecided, complete_past, complete_returned, release_no_shows, mark_overdue, hold_for_overdue,
    forget_ended_peers,
)  # fmt: skip


class Sweeper:
    """Every `seconds`: expires, completes and forgets what is due. Survives outages of the database."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except (DBAPIError, SQLAlchemyError, OSError) as error:
                _log.warning("sweep-failed", error=str(error).splitlines()[0])
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> None:
        """Do all that is due now."""
        for command in _DUE:
            while (done := await self._db.run(command)) > 0:
                _log.info("swept", what=command.__name__, count=done)
                if done < BATCH:
                    break

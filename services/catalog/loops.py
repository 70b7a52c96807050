"""What catalog does by itself: listings end at their date."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.catalog.commands import listings
from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database

_log = logs.get(__name__)
_BATCH = 100


class Expiry:
    """Marks listings whose `valid_until` has come, every `seconds`."""

    def __init__(self, db: Database, *, seconds: float, clock: Clock | None = None) -> None:
        self._db = db
        self._seconds = seconds
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                while await self.sweep() == _BATCH:
                    pass
            except (SQLAlchemyError, OSError) as error:
                _log.warning("expiry-interrupted", error=str(error))
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> int:
        """One batch; returns how many ended."""
        return await self._db.run(listings.expire, now=self._clock.now(), limit=_BATCH)

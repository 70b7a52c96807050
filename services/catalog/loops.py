"""What catalog does by itself: listings end at their date, and checked files are imported."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.catalog.commands import imports, listings
from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.handling import is_database_away

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


class Importing:
    """Imports files that a coordinator has started, batch by batch; goes on after a restart where it was."""

    def __init__(self, db: Database, *, seconds: float, clock: Clock | None = None) -> None:
        self._db = db
        self._seconds = seconds
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Import until cancelled; look for work every `seconds`."""
        while True:
            try:
                await self.import_all()
            except Exception as error:  # noqa: BLE001 - whatever a batch raises must not stop the imports after it
                await self._give_up(error)
            await asyncio.sleep(self._seconds)

    async def import_all(self) -> None:
        """Until nothing waits."""
        while await self._db.run(imports.run_batch, now=self._clock.now()):
            pass

    async def _give_up(self, error: Exception) -> None:
        """A database that is away comes back; anything else would come back as well."""
        _log.error("import-interrupted", exc_info=error)
        if is_database_away(error):
            return
        try:
            await self._db.run(imports.fail)
        except (SQLAlchemyError, OSError) as again:
            _log.warning("import-not-ended", error=str(again))

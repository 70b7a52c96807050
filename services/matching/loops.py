"""What matching does beside the events: compares what is new, and counts words."""

import asyncio
import time

from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.matching import asking, meaning
from services.matching.commands import alerting, encoding, following_up, giving_up, labelling, proposing, vocabulary

_log = logs.get(__name__)
_REST_PER_WORK = 20


class Proposing:
    """Compares new offers with needs and new needs with offers, one after the other."""

    def __init__(
        self, db: Database, *, seconds: float, farthest_km: float, meaning: bool = True, clock: Clock | None = None
    ) -> None:
        self._db = db
        self._by_meaning = meaning
        self._seconds = seconds
        self._farthest_km = farthest_km
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Compare until cancelled; look for work every `seconds`."""
        while True:
            try:
                await self.compare_all()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("comparing-interrupted", error=str(error))
            await asyncio.sleep(self._seconds)

    async def compare_all(self) -> None:
        """Until nothing waits."""
        version = await asking.version() if self._by_meaning else ""
        while await self._db.run(
            proposing.compare_next, now=self._clock.now(), farthest_km=self._farthest_km, version=version
        ):
            pass


class Vocabulary:
    """Counts words again when the index has changed: at most every `seconds`, and a twentieth of the time."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds
        self._seen = -1

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            began = time.monotonic()
            try:
                await self.count_if_changed()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("counting-interrupted", error=str(error))
            await asyncio.sleep(max(self._seconds, _REST_PER_WORK * (time.monotonic() - began)))

    async def count_if_changed(self) -> None:
        """Count, unless nothing was written since the last time."""
        async with self._db.transaction() as session:
            seen = await vocabulary.changes(session)
            if seen != self._seen:
                await vocabulary.count(session)
        self._seen = seen


class Labelling:
    """At the start: labels of what was written by a version before, as far as it had none or knew less of them."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds

    async def run(self) -> None:
        """Once; again after `seconds` as long as the database does not let it."""
        while True:
            try:
                await self._db.run(labelling.keep_missing)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("labelling-interrupted", error=str(error))
                await asyncio.sleep(self._seconds)
            else:
                return


class Alerting:
    """Tells members what their saved searches have found, when it is time."""

    def __init__(self, db: Database, *, seconds: float, time_zone: str, a_day: int, clock: Clock | None = None) -> None:
        self._db = db
        self._seconds = seconds
        self._time_zone = time_zone
        self._a_day = a_day
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Tell until cancelled; look every `seconds`, so that what comes together is told together."""
        while True:
            try:
                await self.tell_all()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("alerting-interrupted", error=str(error))
            await asyncio.sleep(self._seconds)

    async def tell_all(self) -> None:
        """Until nothing is due."""
        due = alerting.due_at(self._clock.now(), self._time_zone, a_day=self._a_day)
        while await self._db.run(alerting.tell_next, due):
            pass


class FollowingUp:
    """Asks how matches worked out, whether needs that nobody answered may be widened; ends questions without answer."""

    def __init__(
        self, db: Database, *, seconds: float, patience: following_up.Patience, clock: Clock | None = None
    ) -> None:
        self._db = db
        self._seconds = seconds
        self._patience = patience
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Ask until cancelled; look every `seconds`."""
        while True:
            try:
                await self.ask_all()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("following-up-interrupted", error=str(error))
            await asyncio.sleep(self._seconds)

    async def ask_all(self) -> None:
        """Until nothing is due."""
        now = self._clock.now()
        while await self._db.run(following_up.ask_outcomes, now=now) == following_up.BATCH:
            pass
        while await self._db.run(following_up.ask_to_widen, now=now, patience=self._patience) == following_up.BATCH:
            pass
        while await self._db.run(giving_up.end_unanswered, now=now) == giving_up.BATCH:
            pass


class Encoding:
    """Makes the vectors of what is new or changed, in small batches, beside everything else."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds

    async def run(self) -> None:
        """Encode until cancelled; ends at once without a model."""
        loaded = await asyncio.to_thread(meaning.load)
        if loaded is None:
            return
        asked = False
        while True:
            try:
                if not asked:
                    await self._db.run(encoding.ask_for_outdated, loaded.version)
                    asked = True
                await self.encode_all()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("encoding-interrupted", error=str(error))
            await asyncio.sleep(self._seconds)

    async def encode_all(self) -> None:
        """Until nothing waits; nothing without a model."""
        loaded = await asyncio.to_thread(meaning.load)
        while loaded is not None and await self._db.run(encoding.encode_some, loaded) == encoding.BATCH:
            pass

"""The loops of booking: time passes, busy times are told, places handed out. Any number of replicas may run them."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.booking.commands.expiring import BATCH, drop_expired_holds, drop_undecided_changes, expire_undecided
from services.booking.commands.forgetting import forget_words
from services.booking.commands.handing_out import hand_out, lines_to_look_at, note_time_is_over
from services.booking.commands.overdue import complete_returned, hold_for_overdue, mark_overdue, release_no_shows
from services.booking.commands.session_time import SWEEPS
from services.booking.commands.telling import TOLD_TOGETHER, resources_to_tell, tell_busy
from services.booking.commands.time_passes import complete_past, forget_ended_peers, forget_old_wishes
from services.chassis import logs
from services.chassis.database import Database
from services.chassis.database_listener import Listener

LOOK_ANYWAY_SECONDS = 10.0
FALLING_ASLEEP = (0.1, 1.0, LOOK_ANYWAY_SECONDS)
"""How long to wait for the next NOTIFY: first shortly, for what was committed just as we stopped looking."""
TOGETHER_SECONDS = 0.1
"""Changes within this time are told together: a resource under load says its busy times ten times a second at most."""

_log = logs.get(__name__)
_DUE = (
    drop_expired_holds, drop_undecided_changes, expire_undecided, complete_past, complete_returned, release_no_shows,
    mark_overdue, hold_for_overdue, note_time_is_over, forget_ended_peers, forget_old_wishes,
    forget_words, *SWEEPS,
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
                _log.warning("sweep-failed", error=logs.line_of(error))
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> None:
        """Do all that is due now."""
        for command in _DUE:
            while (done := await self._db.run(command)) > 0:
                _log.info("swept", what=command.__name__, count=done)
                if done < BATCH:
                    break


async def _look(listener: Listener, do: Callable[[], Awaitable[int]]) -> None:
    """Do what is due until cancelled. While there is something to do, writers need not wake us: we look anyway."""
    idle = 0
    while True:
        try:
            done = await do()
        except (DBAPIError, SQLAlchemyError, OSError) as error:
            _log.warning("looking-failed", what=do.__name__, error=logs.line_of(error))
            done = 0
        await listener.stay_awake(done > 0)
        if done:
            idle = 0
            await asyncio.sleep(TOGETHER_SECONDS)
        else:
            await listener.wait(FALLING_ASLEEP[min(idle, len(FALLING_ASLEEP) - 1)])
            idle += 1


class BusyTeller:
    """Tells the busy times of resources soon after they have changed: many changes of one are told once."""

    def __init__(self, db: Database, listener: Listener) -> None:
        self._db = db
        self._listener = listener

    async def run(self) -> None:
        """Tell until cancelled."""
        await _look(self._listener, self.tell_due)

    async def tell_due(self) -> int:
        """Tell all that waits now. Returns for how many resources."""
        told = 0
        while offer_ids := await self._db.run(resources_to_tell):
            await self._db.run(tell_busy, offer_ids)
            told += len(offer_ids)
            if len(offer_ids) < TOLD_TOGETHER:  # what has changed since is told with what changes within a moment
                break
        return told


class PlaceOfferer:
    """Hands what has become free to those who wait, some hundredths of a second after it did."""

    def __init__(self, db: Database, listener: Listener) -> None:
        self._db = db
        self._listener = listener

    async def run(self) -> None:
        """Hand out until cancelled."""
        await _look(self._listener, self.hand_out_due)

    async def hand_out_due(self) -> int:
        """Hand out all that is marked now. Returns for how many resources."""
        done = 0
        while offer_ids := await self._db.run(lines_to_look_at):
            for offer_id in offer_ids:
                await self._db.run(hand_out, offer_id)
                done += 1
        return done

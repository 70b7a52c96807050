"""Waiting for a NOTIFY: one PostgreSQL connection of its own, opened again whenever it is lost.

A transaction that notifies takes a lock that the whole server has once, and keeps it over its commit: 16 writers on
two cores committed 3,500 times a second, with NOTIFY 290 times. So writers notify only somebody who sleeps: whoever
listens holds an advisory lock while it looks anyway, and `waking` spares the NOTIFY then (3,000 times a second).
"""

import asyncio
import zlib
from contextlib import suppress

import asyncpg
import sqlalchemy as sa
from sqlalchemy import URL

from services.chassis import logs

RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 5.0
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)

LOCKS = 4711
"""The first half of the advisory locks by which listeners say that they are awake; the second is `lock_of`."""
LOCK_SECONDS = 0.2

_log = logs.get(__name__)


def lock_of(channel: str) -> int:
    """The second half of the advisory lock of `channel`."""
    return zlib.crc32(channel.encode()) & 0x7FFF_FFFF


def waking(channel: str) -> sa.ColumnElement[None]:
    """What a transaction selects that has something for the listener of `channel`: a NOTIFY, unless it is awake.

    A listener that falls asleep looks again a few times, for what was written before and committed after.
    """
    asleep = sa.func.pg_try_advisory_xact_lock_shared(LOCKS, lock_of(channel))
    return sa.case((asleep, sa.func.pg_notify(channel, "")))


class Listener:
    """Listens to one channel of the database at `url` while `run()` runs."""

    def __init__(self, url: URL, channel: str) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._heard = asyncio.Event()
        self._outage = logs.Outage()
        self._connection: asyncpg.Connection | None = None
        self._using = asyncio.Lock()
        self._awake = False

    async def stay_awake(self, awake: bool, /) -> None:  # noqa: FBT001 - the only thing that it is told
        """From now on writers need not notify us, because we look anyway; or they need to again."""
        query = "SELECT pg_advisory_lock($1, $2)" if awake else "SELECT pg_advisory_unlock($1, $2)"
        async with self._using:
            connection = self._connection
            if awake == self._awake or connection is None or connection.is_closed():
                return
            try:
                await connection.execute(query, LOCKS, lock_of(self._channel), timeout=5)
            except asyncpg.LockNotAvailableError:  # another replica is awake: then we are woken as usual
                return
            except _LOST:  # nobody knows whether we hold it: it ends with the connection
                connection.terminate()
                return
            self._awake = awake

    async def wait(self, seconds: float) -> None:
        """Return at the next notification, at once when there was one since the last call, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except _LOST as error:
                if self._outage.goes_on():
                    _log.warning("listener-interrupted", channel=self._channel, error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        settings = {"application_name": f"listen {self._channel}", "lock_timeout": f"{LOCK_SECONDS * 1000:.0f}"}
        connection = await asyncpg.connect(self._address, timeout=5, server_settings=settings)
        try:
            await connection.add_listener(self._channel, self._hear)
            self._connection, self._awake = connection, False
            self._outage.is_over()
            self._heard.set()  # something may have been said before we listened
            while not connection.is_closed():
                await asyncio.sleep(CHECK_SECONDS)
                async with self._using:
                    await connection.execute("SELECT 1", timeout=5)
        finally:
            self._connection = None
            connection.terminate()

    def _hear(self, *_said: object) -> None:
        self._heard.set()

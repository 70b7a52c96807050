"""Waiting for a NOTIFY: one PostgreSQL connection of its own, opened again whenever it is lost."""

import asyncio
from contextlib import suppress

import asyncpg
from sqlalchemy import URL

from services.chassis import logs

RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 30.0

_log = logs.get(__name__)


class Listener:
    """Listens to one channel of the database at `url` while `run()` runs."""

    def __init__(self, url: URL, channel: str) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._heard = asyncio.Event()
        self._outage = logs.Outage()

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
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                if self._outage.goes_on():
                    _log.warning("listener-interrupted", channel=self._channel, error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        settings = {"application_name": f"listen {self._channel}"}
        connection = await asyncpg.connect(self._address, timeout=5, server_settings=settings)
        try:
            await connection.add_listener(self._channel, self._hear)
            self._outage.is_over()
            self._heard.set()  # something may have been said before we listened
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await connection.execute("SELECT 1", timeout=5)
        finally:
            connection.terminate()

    def _hear(self, *_said: object) -> None:
        self._heard.set()

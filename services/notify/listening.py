"""What the database tells this process: somebody's inbox grew, a mail waits. One connection for both."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

import asyncpg
from sqlalchemy import URL

from services.chassis import logs

RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 30.0
"""For a server that has vanished without a word; the end of a connection is seen at once."""

_log = logs.get(__name__)


class Pulse:
    """Wakes whoever waits; a beat that nobody waited for is kept for the next."""

    def __init__(self) -> None:
        self._beaten = asyncio.Event()

    def beat(self, _said: str = "") -> None:
        self._beaten.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next beat, at once when there was one meanwhile, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._beaten.wait()
        self._beaten.clear()


class Listening:
    """Listens to channels of the database at `url`; each has a function that takes the payload of a notification.

    The functions are called with "" whenever something may have been missed: after each (re)connection.
    """

    def __init__(self, url: URL, channels: Mapping[str, Callable[[str], None]]) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channels = channels
        self._outage = logs.Outage()

    async def run(self) -> None:
        """Listen until cancelled, over every outage of the database."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                if self._outage.goes_on():
                    _log.warning("listening-interrupted", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        settings = {"application_name": "notify listen"}
        connection = await asyncpg.connect(self._address, timeout=5, server_settings=settings)
        lost = asyncio.Event()

        def note_end(_connection: object) -> None:
            lost.set()

        connection.add_termination_listener(note_end)
        try:
            for channel, hear in self._channels.items():
                await connection.add_listener(channel, lambda _c, _p, _ch, said, hear=hear: hear(str(said)))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
            self._outage.is_over()
            for hear in self._channels.values():
                hear("")
            while not lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_SECONDS):
                        await lost.wait()
                await connection.execute("SELECT 1", timeout=5)
        finally:
            connection.terminate()

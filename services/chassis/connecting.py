"""Connections to the broker whose end is ours also when they cannot be made.

aio-pika leaves a connection that fails to whoever collects garbage, in a thread that may have no event loop, and one
whose making is cancelled goes on trying to connect for as long as the process lives.
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url
from aio_pika.robust_connection import RobustConnection
from faststream.rabbit import RabbitBroker

FRAMES = 3000
"""Of a channel, how many may have come and not be looked at: three to a message, more than consumers are ever sent."""


class _Roomy(aio_pika.Connection):
    """Its channels take in at once what has come.

    aiormq's take in ten frames, which are three messages, each time that the process comes round: beside people who
    write without a pause, not more than fifty messages a second, however many wait.
    """

    async def _on_connected(self) -> None:
        if self.transport is not None:
            under = self.transport.connection
            vars(under)["channel"] = functools.partial(under.channel, frame_buffer_size=FRAMES)
        await super()._on_connected()


class _RoomyAndRobust(_Roomy, RobustConnection):
    pass


async def connected(url: str) -> AbstractConnection:
    """A connection that the caller closes. `url`: AMQP address with user and vhost.

    Raises what aio-pika's CONNECTION_EXCEPTIONS hold.
    """
    connection = _Roomy(make_url(url))
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection


class Broker(RabbitBroker):
    """FastStream's broker, which keeps what `start` begins: whoever stops it closes what is not closed by then."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.begun: list[RobustConnection] = []
        self.on_progress: Callable[[], object] = lambda: None
        """Called as each of its consumers listens."""
        self._connection_kwargs["connection_class"] = self._begin

    async def start(self) -> None:
        """All consumers at once: each waits for four answers of the broker, which come late to a busy process."""
        await self.connect()
        starting = [asyncio.create_task(one.start()) for one in self.subscribers]
        try:
            for one in asyncio.as_completed(starting):
                await one
                self.on_progress()
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
        self.running = True

    def _begin(self, *arguments: Any, **options: Any) -> RobustConnection:
        connection = _RoomyAndRobust(*arguments, **options)
        self.begun.append(connection)
        return connection

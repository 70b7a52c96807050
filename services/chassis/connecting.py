"""Connections to the broker whose end is ours also when they cannot be made.

aio-pika leaves a connection that fails to whoever collects garbage, in a thread that may have no event loop, and one
whose making is cancelled goes on trying to connect for as long as the process lives.
"""

from types import TracebackType
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url
from aio_pika.robust_connection import RobustConnection
from faststream.rabbit import RabbitBroker


async def connected(url: str) -> AbstractConnection:
    """A connection that the caller closes. `url`: AMQP address with user and vhost.

    Raises what aio-pika's CONNECTION_EXCEPTIONS hold.
    """
    connection = aio_pika.Connection(make_url(url))
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection


class Broker(RabbitBroker):
    """FastStream's broker; `stop` also closes connections that `start` had begun and did not bring to an end."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._begun: list[RobustConnection] = []
        self._connection_kwargs["connection_class"] = self._begin

    def _begin(self, *arguments: Any, **options: Any) -> RobustConnection:
        connection = RobustConnection(*arguments, **options)
        self._begun.append(connection)
        return connection

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        try:
            await super().stop(exc_type, exc_val, exc_tb)
        finally:
            while self._begun:
                await self._begun.pop().close()

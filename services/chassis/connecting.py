"""Connections to the broker whose end is ours also when they cannot be made.

aio-pika leaves a connection that fails to whoever collects garbage, in a thread that may have no event loop, and one
whose making is cancelled goes on trying to connect for as long as the process lives.
"""

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
    """FastStream's broker, which keeps what `start` begins: whoever stops it closes what is not closed by then."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.begun: list[RobustConnection] = []
        self._connection_kwargs["connection_class"] = self._begin

    def _begin(self, *arguments: Any, **options: Any) -> RobustConnection:
        connection = RobustConnection(*arguments, **options)
        self.begun.append(connection)
        return connection

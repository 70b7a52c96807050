"""Publishing with confirms, on a connection of its own, so that a broker in alarm blocks no consumer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, FieldValue
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError

from services.chassis.outbox import LARGEST_EVENT


class NotPublished(Exception):
    """The broker has not taken the message, as far as we know. Publishing it again may double it, not lose it."""


class Refused(NotPublished):
    """The broker answered no to this very message: returned as unroutable, or nacked."""


class ChannelLost(NotPublished):
    """The broker closed the channel over one of the messages in flight; which one shows when they go one by one."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What goes to the broker. `key` is the routing key; `id` shows in the broker's tools only."""

    exchange: str
    key: str
    headers: Mapping[str, FieldValue]
    body: bytes
    id: str
    content_type: str = "application/json"


class Publisher:
    """Persistent, mandatory, confirmed publishes. Connects when first used and again after a loss.

    `url`: AMQP address with user and vhost. `seconds`: the longest that one publish or connect may take.
    """

    def __init__(self, url: str, *, seconds: float = 10) -> None:
        self._url = url
        self._seconds = seconds
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, message: Message) -> None:
        """Return once the broker has the message safe on disk. Raises NotPublished, Refused or ChannelLost."""
        if len(message.body) > LARGEST_EVENT:
            raise Refused(f"a body of {len(message.body)} bytes; at most {LARGEST_EVENT} are sent")
        try:
            # aio-pika's own timeout does not end a publish that an alarm holds back
            async with asyncio.timeout(self._seconds):
                channel = await self._open()
                exchange = await channel.get_exchange(message.exchange, ensure=False)
                await exchange.publish(_wire(message), message.key, mandatory=True)
        except DeliveryError as error:
            raise Refused(f"the broker refused it: {error}") from error
        except TimeoutError as error:
            await self.close()
            raise NotPublished(f"no confirm within {self._seconds} s") from error
        except CONNECTION_EXCEPTIONS as error:
            lost = ChannelLost if _is_open(self._connection) else NotPublished
            raise lost(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(2):
                await connection.close()
        except (TimeoutError, *CONNECTION_EXCEPTIONS):
            return  # it was lost already

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is not None and not self._channel.is_closed:
                return self._channel
            if self._connection is None or not _is_open(self._connection):
                self._connection = await aio_pika.connect(self._url)
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            return self._channel


def _is_open(connection: AbstractConnection | None) -> bool:
    """aio-pika's `is_closed` stays false when it was the other side that closed."""
    return connection is not None and connection.connected.is_set()


def _wire(message: Message) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=dict(message.headers),
        content_type=message.content_type,
        message_id=message.id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )

"""Publishing with confirms, on a connection of its own, so that a broker in alarm blocks no consumer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, FieldValue
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError

from services.chassis.connecting import connected
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

    `url`: AMQP address with user and vhost. `seconds`: the longest that one publish or connect may take. `largest`:
    of a body, in octets.
    """

    def __init__(self, url: str, *, seconds: float = 10, largest: int = LARGEST_EVENT) -> None:
        self._url = url
        self._largest = largest
        self._seconds = seconds
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, message: Message) -> None:
        """Return once the broker has the message safe on disk. Raises NotPublished, Refused or ChannelLost."""
        (outcome,) = await self.publish_all([message])
        if outcome is not None:
            raise outcome

    async def publish_all(self, messages: Sequence[Message]) -> list[NotPublished | None]:
        """Publish at once: for each message None once the broker has it safe on disk, else why it may not have it."""
        try:
            async with asyncio.timeout(self._seconds):
                channel = await (await self._open()).get_underlay_channel()
        except TimeoutError:
            return [NotPublished(f"no connection within {self._seconds} s")] * len(messages)
        except CONNECTION_EXCEPTIONS as error:
            return [self._lost(error)] * len(messages)
        tasks = [asyncio.create_task(self._send(channel, message)) for message in messages]
        try:
            # aio-pika's own timeout does not end a publish that an alarm holds back
            _, late = await asyncio.wait(tasks, timeout=self._seconds)
        finally:
            for task in tasks:
                task.cancel()
        if late:
            await self.close()
        unknown = NotPublished(f"no confirm within {self._seconds} s")
        return [unknown if task in late or task.cancelled() else task.result() for task in tasks]

    async def _send(self, channel: Any, message: Message) -> NotPublished | None:
        if len(message.body) > self._largest:
            return Refused(f"a body of {len(message.body)} bytes; at most {self._largest} are sent")
        try:
            # below aio-pika's own publish, which waits until each message has left before it takes the next
            await channel.basic_publish(
                message.body,
                exchange=message.exchange,
                routing_key=message.key,
                properties=_wire(message).properties,
                mandatory=True,
                wait=False,
            )
        except DeliveryError as error:
            return Refused(f"the broker refused it: {error}")
        except CONNECTION_EXCEPTIONS as error:
            return self._lost(error)
        return None

    def _lost(self, error: BaseException) -> NotPublished:
        lost = ChannelLost if _is_open(self._connection) else NotPublished
        return lost(f"{type(error).__name__}: {error}")

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
                await self.close()
                self._connection = await connected(self._url)
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

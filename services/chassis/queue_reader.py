"""Reads one queue in batches: what waits is handled in one transaction and acknowledged by one answer.

aio-pika alone, because FastStream hands messages on one by one (190 microseconds each, more than their effect takes).
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aio_pika import IncomingMessage
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from services.chassis import logs, names
from services.chassis.handling import Handling

if TYPE_CHECKING:
    from services.chassis.messaging import Subscription

PREFETCH = 100
LARGEST_BATCH = 50
WANTED_SECONDS = 0.25
"""A batch that takes longer is followed by a smaller one: stopping waits for it, and others for its locks."""
OPEN_SECONDS = 15.0
AGAIN_SECONDS = 1.0
PAUSE_SECONDS = 2.0

_log = logs.get(__name__)


class QueueReader:
    """Consumes the queue of `subscription` until stopped or until `connection` is lost.

    Opens its channel again whenever that is lost, or its consumer cancelled, by the broker: the queue was deleted, its
    leader is gone, an answer took too long.
    """

    def __init__(
        self, connection: AbstractConnection, handling: Handling, subscription: "Subscription", service: str
    ) -> None:
        self.alive = False
        """Whether the broker has it as a consumer."""
        self._connection = connection
        self._handling = handling
        self._subscription = subscription
        self._queue = names.queue(service, subscription.event.type)
        self._arrived: asyncio.Queue[IncomingMessage | None] = asyncio.Queue()
        self._stopping = False
        self._size = LARGEST_BATCH
        self._answered = 0

    async def run(self) -> None:
        """Read until stopped or until the connection is lost."""
        while not self._stopping and self._connection.connected.is_set():
            try:
                await self._read_until_lost()
            except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
                _log.warning("queue-not-read", queue=self._queue, error=f"{type(error).__name__}: {error}")
            finally:
                self.alive = False
            if not self._stopping:
                await asyncio.sleep(AGAIN_SECONDS)

    def stop(self) -> None:
        """Let `run` end after the batch in hand; all else goes back to the queue."""
        self._stopping = True
        self._arrived.put_nowait(None)

    async def _read_until_lost(self) -> None:
        self._arrived, self._answered = asyncio.Queue(), 0
        async with asyncio.timeout(OPEN_SECONDS):  # a queue without a leader leaves the question unanswered
            channel = await self._connection.channel(publisher_confirms=False)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._consume(channel)
            self.alive = True
            await self._handle_what_arrives(channel)
        finally:
            await channel.close()

    async def _consume(self, channel: AbstractChannel) -> None:
        arrived = self._arrived

        async def take(message: Any) -> None:
            arrived.put_nowait(IncomingMessage(message))

        def end(*_why: object) -> None:
            arrived.put_nowait(None)

        await channel.set_qos(prefetch_count=PREFETCH)
        # below aio-pika's own consumer, which makes two tasks of each message and does not tell when it was cancelled
        bare = await channel.get_underlay_channel()
        bare.on_consumer_cancel_callbacks.add(end)
        channel.close_callbacks.add(end)
        await bare.basic_consume(self._queue, take)

    async def _handle_what_arrives(self, channel: AbstractChannel) -> None:
        while not self._stopping and (first := await self._arrived.get()) is not None:
            batch = [first]
            while len(batch) < self._size and not self._arrived.empty():
                if (more := self._arrived.get_nowait()) is None:
                    self._arrived.put_nowait(None)
                    break
                batch.append(more)
            await self._handle(channel, batch)

    async def _handle(self, channel: AbstractChannel, batch: Sequence[IncomingMessage]) -> None:
        began = time.monotonic()
        waiting = await self._handling.handle(batch, self._subscription)
        is_slow = time.monotonic() - began > WANTED_SECONDS
        self._size = max(1, self._size // 2) if is_slow else min(LARGEST_BATCH, self._size * 2)
        while waiting and not self._stopping and not channel.is_closed:
            # in hand, not handed back: each time that it is delivered counts against a message
            await asyncio.sleep(PAUSE_SECONDS)
            waiting = await self._handling.handle(waiting, self._subscription)
        await self._acknowledge(channel, [message for message in batch if message not in waiting])

    async def _acknowledge(self, channel: AbstractChannel, done: Sequence[IncomingMessage]) -> None:
        """What is left out goes back when the channel closes."""
        tags = [message.delivery_tag or 0 for message in done]
        if tags and tags == list(range(self._answered + 1, self._answered + 1 + len(tags))):
            bare = await channel.get_underlay_channel()
            await bare.basic_ack(tags[-1], multiple=True)
        else:
            for message in done:
                await message.ack()
        self._answered = max(tags, default=self._answered)

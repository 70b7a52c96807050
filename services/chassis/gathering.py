"""What waits of one queue is handled in one transaction and acknowledged by one answer.

FastStream hands messages on one by one, each in a task of its own; here those that wait meet again.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aio_pika import IncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from services.chassis import logs
from services.chassis.handling import Handling

if TYPE_CHECKING:
    from services.chassis.messaging import Subscription

LARGEST_BATCH = 100
SMALLEST_BATCH = 4
"""Alone, each message costs a transaction and an answer: where the machine is too slow, that would make it slower."""
WANTED_SECONDS = 0.25
"""A batch that takes longer is followed by a smaller one: stopping waits for it, and others for its locks."""
PAUSE_SECONDS = 2.0

_log = logs.get(__name__)


class Gathering:
    """Answers the messages of `subscription` in batches, in the order in which they came."""

    def __init__(self, handling: Handling, subscription: "Subscription") -> None:
        self._handling = handling
        self._subscription = subscription
        self._arrived: list[tuple[IncomingMessage, asyncio.Future[None]]] = []
        self._answering: asyncio.Task[None] | None = None
        self._stopping = False
        self._size = LARGEST_BATCH
        self._channel: object = None
        self._answered = 0

    async def take(self, message: IncomingMessage) -> None:
        """Return once `message` is acknowledged, or left unanswered: it goes back to the queue with its channel."""
        if self._stopping:
            return
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrived.append((message, answered))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all(), name=f"gathering {self._subscription.event.type}")
        await answered

    def stop(self) -> None:
        """Finish the batch in hand; all else goes back to the queue."""
        self._stopping = True
        _release(self._arrived)
        self._arrived = []

    async def _answer_all(self) -> None:
        while self._arrived:
            batch, self._arrived = self._arrived[: self._size], self._arrived[self._size :]
            try:
                await self._answer([message for message, _ in batch])
            except CONNECTION_EXCEPTIONS as error:  # the effects stay; what comes again is known by its id
                _log.info("not-acknowledged", type=self._subscription.event.type, error=repr(error))
            finally:
                _release(batch)

    async def _answer(self, batch: Sequence[IncomingMessage]) -> None:
        began = time.monotonic()
        waiting = await self._handling.handle(batch, self._subscription)
        is_slow = time.monotonic() - began > WANTED_SECONDS
        self._size = max(SMALLEST_BATCH, self._size // 2) if is_slow else min(LARGEST_BATCH, self._size * 2)
        while waiting and not self._stopping and not batch[-1].channel.is_closed:
            # in hand, not handed back: each time that it is delivered counts against a message
            await asyncio.sleep(PAUSE_SECONDS)
            waiting = await self._handling.handle(waiting, self._subscription)
        await self._acknowledge([message for message in batch if message not in waiting])

    async def _acknowledge(self, done: Sequence[IncomingMessage]) -> None:
        """By one answer where nothing before them is unanswered; tags count from 1 on each channel."""
        if not done:
            return
        tags = [message.delivery_tag or 0 for message in done]
        if self._channel is not done[0].channel:
            self._channel, self._answered = done[0].channel, 0
        one_channel = all(message.channel is self._channel for message in done)
        if one_channel and tags == list(range(self._answered + 1, self._answered + 1 + len(tags))):
            await done[-1].ack(multiple=True)
        else:
            for message in done:
                await message.ack()
        self._answered = max(tags)


def _release(batch: Sequence[tuple[IncomingMessage, "asyncio.Future[None]"]]) -> None:
    for _, answered in batch:
        if not answered.done():
            answered.set_result(None)

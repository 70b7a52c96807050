"""Dead letters: what a service could not handle, in the queue `<service>.dead`, read under its own broker user.

Nothing leaves that queue before its replacement is safe.
"""

import hashlib
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from contracts.envelope import HEADER_PREFIX
from services.chassis import names
from services.chassis.connecting import connected
from services.chassis.handling import own_headers
from services.chassis.publishing import Message, Publisher


@dataclass(frozen=True)
class Letter:
    """One message in a dead-letter queue. `id` is the event's, or a digest of the body when it names none."""

    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        told = self.attribute("id") or self.message.message_id
        return str(told) if told else hashlib.sha256(self.message.body).hexdigest()[:16]

    @property
    def queue(self) -> str:
        """The queue that it was meant for; "" when nothing tells."""
        told = self.message.headers.get(names.HEADER_QUEUE)
        deaths: Any = self.message.headers.get("x-death") or [{}]
        return str(told or deaths[0].get("queue", ""))

    @property
    def error(self) -> str:
        told = self.message.headers.get(names.HEADER_ERROR)
        deaths: Any = self.message.headers.get("x-death") or [{}]
        return str(told or f"set aside by the broker: {deaths[0].get('reason', 'unknown')}")

    @property
    def attempts(self) -> int:
        """How often its handler has failed."""
        told = self.message.headers.get(names.HEADER_ATTEMPT)
        return told if isinstance(told, int) else 0

    def attribute(self, name: str) -> str:
        """An attribute of its envelope ("type", "time"), as it was sent; "" when there is none."""
        return str(self.message.headers.get(HEADER_PREFIX + name) or "")

    def line(self) -> str:
        return f"{self.id}  {self.attribute('time') or '?'}  {self.queue}  {self.error.splitlines()[0][:200]}"

    def whole(self) -> str:
        headers = "\n".join(f"{name}: {value!s}" for name, value in sorted(self.message.headers.items()))
        return f"{headers}\n\n{self.message.body.decode(errors='backslashreplace')}"


@asynccontextmanager
async def letters(url: str, service: str, *, most: int | None = None) -> AsyncGenerator[list[Letter]]:
    """The dead letters of `service` (`most`: the oldest so many), held while the block runs.

    What was not acknowledged in it goes back; meanwhile nobody else sees them.
    """
    async with await connected(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(names.dead(service), ensure=False)
        found: list[Letter] = []
        while (most is None or len(found) < most) and (message := await queue.get(fail=False)) is not None:
            found.append(Letter(message))
        yield found


async def replay(url: str, service: str, wanted: str, *, most: int | None = None) -> list[str]:
    """Send the letters called `wanted` ("all": every one) back to their queues, as if they had never failed.

    They arrive a second later. `most`: look at the oldest so many. Returns their ids. Raises NotPublished.
    """
    publisher = Publisher(url)
    done: list[str] = []
    try:
        async with letters(url, service, most=most) as found:
            for letter in found:
                if wanted in {letter.id, "all"} and letter.queue.startswith(f"{service}."):
                    await publisher.publish(_returning(letter, service))
                    await letter.message.ack()
                    done.append(letter.id)
    finally:
        await publisher.close()
    return done


async def drop(url: str, service: str, wanted: str, *, most: int | None = None) -> list[str]:
    """Delete the letters called `wanted` ("all": every one) among the oldest `most`. Returns their ids."""
    done: list[str] = []
    async with letters(url, service, most=most) as found:
        for letter in found:
            if wanted in {letter.id, "all"}:
                await letter.message.ack()
                done.append(letter.id)
    return done


async def forget(url: str, service: str, about: Collection[str]) -> list[str]:
    """Delete the letters in which one of `about` (ids) stands: whoever it is has left. Returns their ids.

    One that somebody looks at in this moment is not seen.
    """
    done: list[str] = []
    async with letters(url, service) as found:
        for letter in found:
            text = letter.message.body.decode(errors="replace")
            if any(one in text for one in about):
                await letter.message.ack()
                done.append(letter.id)
    return done


def _returning(letter: Letter, service: str) -> Message:
    headers = own_headers(letter.message.headers)
    for name in (names.HEADER_ERROR, names.HEADER_QUEUE, names.HEADER_ATTEMPT):
        headers.pop(name, None)
    return Message(
        exchange=names.retry_exchange(service),
        key=letter.queue,
        headers=headers | {names.HEADER_DELAY: next(iter(names.RETRY_DELAYS))},
        body=letter.message.body,
        id=letter.id,
        content_type=letter.message.content_type or "application/octet-stream",
    )

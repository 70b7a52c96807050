"""`python -m services dead list|show|replay|drop <service> [<id>|all]`: what a service could not handle.

Works under the service's own broker user. Nothing leaves the dead-letter queue before its replacement is safe.
"""

import asyncio
import hashlib
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from contracts.envelope import HEADER_PREFIX
from services.chassis import names
from services.chassis.handling import own_headers
from services.chassis.publishing import Message, NotPublished, Publisher
from services.chassis.settings import ServiceSettings, load

USAGE = f"usage: python -m services dead list|show|replay|drop {'|'.join(names.SERVICES)} [<id>|all]"


@dataclass(frozen=True)
class Letter:
    """One message in a dead-letter queue. `id` is the event's, or a digest of the body when it names none."""

    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        told = self.message.headers.get(HEADER_PREFIX + "id") or self.message.message_id
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

    def line(self) -> str:
        time = self.message.headers.get(HEADER_PREFIX + "time", "?")
        return f"{self.id}  {time}  {self.queue}  {self.error.splitlines()[0][:200]}"

    def whole(self) -> str:
        headers = "\n".join(f"{name}: {value!s}" for name, value in sorted(self.message.headers.items()))
        return f"{headers}\n\n{self.message.body.decode(errors='backslashreplace')}"


@asynccontextmanager
async def letters(url: str, service: str) -> AsyncGenerator[list[Letter]]:
    """All dead letters of `service`, held while the block runs; what was not acknowledged in it goes back."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue(names.dead(service), ensure=False)
        found: list[Letter] = []
        while (message := await queue.get(fail=False)) is not None:
            found.append(Letter(message))
        yield found


async def replay(url: str, service: str, wanted: str) -> list[str]:
    """Send the letters called `wanted` ("all" for every one) back to their queues, as if they had never failed.

    They arrive a second later. Returns their ids. Raises NotPublished.
    """
    publisher = Publisher(url)
    done: list[str] = []
    try:
        async with letters(url, service) as found:
            for letter in found:
                if wanted in {letter.id, "all"} and letter.queue.startswith(f"{service}."):
                    await publisher.publish(_returning(letter, service))
                    await letter.message.ack()
                    done.append(letter.id)
    finally:
        await publisher.close()
    return done


async def drop(url: str, service: str, wanted: str) -> list[str]:
    """Delete the letters called `wanted` ("all" for every one). Returns their ids."""
    done: list[str] = []
    async with letters(url, service) as found:
        for letter in found:
            if wanted in {letter.id, "all"}:
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


async def run(action: str, service: str, wanted: str, settings: ServiceSettings) -> str:
    """Do what the command line asks. Returns the text to print."""
    url = settings.broker_url(service)
    if action == "replay":
        return "\n".join(f"replayed {letter_id}" for letter_id in await replay(url, service, wanted)) or "nothing found"
    if action == "drop":
        return "\n".join(f"dropped {letter_id}" for letter_id in await drop(url, service, wanted)) or "nothing found"
    async with letters(url, service) as found:
        if action == "list":
            return "\n".join(letter.line() for letter in found) or "no dead letters"
        return "\n\n".join(letter.whole() for letter in found if wanted in {letter.id, "all"}) or "nothing found"


def main(arguments: Sequence[str]) -> None:
    """Command line."""
    action, service, wanted = (*arguments, "", "", "")[:3]
    needs_id = action in {"show", "replay", "drop"}
    if action not in {"list", "show", "replay", "drop"} or service not in names.SERVICES or (needs_id and not wanted):
        sys.exit(USAGE)
    try:
        print(asyncio.run(run(action, service, wanted, load(ServiceSettings))))  # noqa: T201 - a command's answer
    except (NotPublished, *CONNECTION_EXCEPTIONS) as error:
        sys.exit(f"broker: {error}")

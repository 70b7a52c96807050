"""Every transaction, publish and acknowledgement waits by chance, in the tests and in the processes that they start.

What a test expects must not hang on who is quicker. On one quiet machine the same side wins nearly always, and the
test that leans on it fails only where it costs most; shaken, the other side wins, too. Waits are the same for the
same seed and the same order of calls: most a few milliseconds, some half a second.

`pytest --shaken SEED` (`tests/shaking.py`) asks for it; processes are reached by `tests/shaken_processes`.
"""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from services.chassis.database import Database
from services.chassis.publishing import Message, Publisher

_LONGEST = ((0.75, 0.004), (0.95, 0.04), (1.0, 0.5))
"""Up to which share of the waits how many seconds are the longest."""
SEED = "SHAKEN_SEED"
_ROOT = Path(__file__).resolve().parents[1]


class Shaking:
    """Waits by chance. `seed`: what the chances are drawn from."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._patch = pytest.MonkeyPatch()

    async def wait(self) -> None:
        drawn = self._chance.random()
        longest = next(seconds for share, seconds in _LONGEST if drawn <= share)
        await asyncio.sleep(self._chance.uniform(0, longest))

    def databases(self) -> None:
        """Transactions wait before they begin, with all their locks before they commit, and afterwards."""
        for name in ("transaction", "reading", "autocommit", "asking"):
            self._patch.setattr(Database, name, self._slow(getattr(Database, name)))

    def _slow(self, original: Any) -> Any:
        @asynccontextmanager
        async def slowly(database: Database) -> AsyncGenerator[Any]:
            await self.wait()
            async with original(database) as session:
                yield session
                await self.wait()
            await self.wait()

        return slowly

    def broker(self) -> None:
        """Messages leave late, confirms are heard late, and so is what was done with a message."""
        publish_all, ack = Publisher.publish_all, aio_pika.IncomingMessage.ack

        async def published(publisher: Publisher, messages: Sequence[Message]) -> Any:
            await self.wait()
            outcomes = await publish_all(publisher, messages)
            await self.wait()
            return outcomes

        async def acknowledged(message: aio_pika.IncomingMessage, *, multiple: bool = False) -> None:
            await self.wait()
            await ack(message, multiple=multiple)

        self._patch.setattr(Publisher, "publish_all", published)
        self._patch.setattr(aio_pika.IncomingMessage, "ack", acknowledged)


def shake(seed: int) -> None:
    """Let this process wait, until it ends."""
    shaking = Shaking(seed)
    shaking.databases()
    shaking.broker()


def environment() -> dict[str, str]:
    """What a process needs to be shaken as these tests are; nothing when they are not."""
    if (seed := os.environ.get(SEED)) is None:
        return {}
    folders = (Path(__file__).with_name("shaken_processes"), _ROOT)
    return {SEED: seed, "PYTHONPATH": os.pathsep.join(map(str, folders))}

"""Connections that cannot be made are closed by whoever began them.

Left to a garbage collector that happens to run in another thread, what their end takes is never awaited: Python warns,
and some test fails over it.
"""

import asyncio
import gc
from collections.abc import AsyncIterator

import aio_pika
import pytest
from aio_pika.robust_connection import RobustConnection
from sqlalchemy.engine import URL

from services.chassis.database import Database
from services.chassis.messaging import Consumers, Consuming
from services.chassis.publishing import Message, NotPublished, Publisher
from tests.services.chassis.trial import Probed, running, until


class Booting:
    """Takes connections and ends them at once, as a broker that is starting up."""

    taken = 0

    def take(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        writer.close()

    async def has_taken(self, count: int) -> bool:
        return self.taken >= count


@pytest.fixture
async def booting() -> Booting:
    return Booting()


@pytest.fixture
async def url(booting: Booting) -> AsyncIterator[str]:
    async with await asyncio.start_server(booting.take, "127.0.0.1") as server:
        yield f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_publisher_that_finds_no_broker_leaves_no_connection_behind(url: str) -> None:
    publisher = Publisher(url)
    for _ in range(3):
        (outcome,) = await publisher.publish_all([Message(exchange="", key="k", headers={}, body=b"{}", id="1")])
        assert type(outcome) is NotPublished
    await publisher.close()
    assert _left_open() == []


async def test_consumers_that_find_no_broker_leave_no_connection_behind(booting: Booting, url: str) -> None:
    consumers = Consumers("notify")

    @consumers.on(Probed)
    async def ignore(_event: Probed, _session: object) -> None: ...

    async with running(Consuming(consumers, Database(URL.create("postgresql+asyncpg")), url)):
        await until(lambda: booting.has_taken(3))
    assert _left_open() == []


def _left_open() -> list[object]:
    """Connections of this event loop that nobody has closed, also those that no variable holds any more."""
    loop, kinds = asyncio.get_running_loop(), (aio_pika.Connection, RobustConnection)
    return [one for one in gc.get_objects() if type(one) in kinds and one.loop is loop and not one.is_closed]

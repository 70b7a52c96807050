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
from sqlalchemy import event, text
from sqlalchemy.engine import URL

from services.chassis import messaging
from services.chassis.connecting import Broker, connected
from services.chassis.database import Database
from services.chassis.messaging import Consumers, Consuming
from services.chassis.publishing import Message, NotPublished, Publisher
from services.federation import inbound
from tests.services.chassis.trial import Probed, Trial, running, until


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


async def test_connections_that_work_at_once_are_kept_for_the_next_time(trial: Trial) -> None:
    database, made = Database(trial.notify.url), 0

    def count(*_given: object) -> None:
        nonlocal made
        made += 1

    event.listen(database.engine.sync_engine, "connect", count)
    for _ in range(3):
        everybody = asyncio.Barrier(4)

        async def work(together: asyncio.Barrier) -> None:
            async with database.reading() as session:
                await session.execute(text("SELECT 1"))
                await together.wait()

        await asyncio.gather(*(work(everybody) for _ in range(4)))
    await database.close()
    assert made == 4


async def test_whatever_a_consumer_is_sent_at_once_is_taken_in_at_once(trial: Trial) -> None:
    url = trial.settings.broker_url("notify")
    broker = Broker(url, logger=None)
    await broker.start()
    (robust,) = broker.begun
    async with await connected(url) as plain:
        for connection in (plain, robust):
            async with await connection.channel() as channel:
                under = await channel.get_underlay_channel()
                assert vars(under)["frames"].maxsize > 3 * max(messaging.PREFETCH, inbound.PREFETCH)
    await broker.stop()


def _left_open() -> list[object]:
    """Connections of this event loop that nobody has closed, also those that no variable holds any more."""
    loop, kinds = asyncio.get_running_loop(), (aio_pika.Connection, RobustConnection)
    return [one for one in gc.get_objects() if issubclass(type(one), kinds) and one.loop is loop and not one.is_closed]


async def test_what_is_asked_is_planned_once(trial: Trial) -> None:
    database = Database(trial.notify.url, plan_cache_mode="force_custom_plan")
    plans = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%counted%'")
    for session_of, planned in ((database.asking, (3, 0)), (database.autocommit, (0, 3))):
        async with session_of() as session:
            for number in range(3):
                await session.execute(text("SELECT CAST(:number AS int) AS counted"), {"number": number})
            assert planned in {tuple(row) for row in await session.execute(plans)}
    await database.close()


async def test_a_database_that_takes_connections_and_says_nothing_is_given_up_in_time() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        silent = URL.create("postgresql+asyncpg", username="x", host="127.0.0.1", port=port, database="x")
        database = Database(silent, connect_seconds=0.1)
        ping = asyncio.ensure_future(database.ping())
        await asyncio.wait([ping], timeout=30)
        assert ping.done()
        with pytest.raises(TimeoutError):
            ping.result()
        await database.close()

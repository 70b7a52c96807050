"""A listener says truly whether it is awake: what the database holds for it, and what it believes, are the same."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.chassis.database_listener import LOCKS, Listener, lock_of
from tests.instances import Instance

CHANNEL = "trial"
HELD = """
SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database AND datname = current_database()
 WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2
"""
"""Here alone: tests that run beside this one have listeners of the same channel in their databases."""
LISTENING = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()"


class Watch:
    """A listener that runs, and a connection that looks at it."""

    def __init__(self, listener: Listener, connection: asyncpg.Connection) -> None:
        self.listener, self.connection = listener, connection

    async def holders(self) -> list[int]:
        return [row["pid"] for row in await self.connection.fetch(HELD, LOCKS, lock_of(CHANNEL))]

    async def listening(self, *, but: int = 0) -> int:
        async with asyncio.timeout(60):
            while True:
                pids = [row["pid"] for row in await self.connection.fetch(LISTENING, f"listen {CHANNEL}")]
                if pids and pids[0] != but:
                    return int(pids[0])
                await asyncio.sleep(0.02)


@pytest.fixture
async def watch(instance: Instance) -> AsyncIterator[Watch]:
    url = instance.settings().database_url("booking")
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    listener, connection = Listener(url, CHANNEL), await asyncpg.connect(address)
    running = asyncio.create_task(listener.run())
    yield Watch(listener, connection)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await connection.close()


async def awake(watch: Watch) -> None:
    async with asyncio.timeout(60):
        while not await watch.holders():  # it may not have connected yet
            await watch.listener.stay_awake(True)
            await asyncio.sleep(0.02)


async def test_who_is_awake_holds_the_lock_once_and_gives_it_back(watch: Watch) -> None:
    await awake(watch)
    await watch.listener.stay_awake(True)
    await watch.listener.stay_awake(False)
    assert await watch.holders() == []


async def test_while_another_is_awake_it_is_woken_as_usual_and_can_be_awake_later(watch: Watch) -> None:
    await watch.listening()
    await watch.connection.execute("SELECT pg_advisory_lock($1, $2)", LOCKS, lock_of(CHANNEL))
    (other,) = await watch.holders()
    await watch.listener.stay_awake(True)
    assert await watch.holders() == [other]
    await watch.connection.execute("SELECT pg_advisory_unlock($1, $2)", LOCKS, lock_of(CHANNEL))
    await awake(watch)
    assert await watch.holders() != [other]


async def test_after_a_lost_connection_it_is_not_awake_any_more(watch: Watch) -> None:
    await awake(watch)
    (lost,) = await watch.holders()
    await watch.connection.execute("SELECT pg_terminate_backend($1)", lost)
    await watch.listening(but=lost)
    assert await watch.holders() == []
    await awake(watch)
    (now,) = await watch.holders()
    assert now != lost

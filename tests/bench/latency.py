"""From a write to its effects elsewhere.

The databases tell by NOTIFY, which PostgreSQL delivers when the transaction commits: what is measured is commit to
commit, by this process's clock, with no polling in between. The triggers that notify are put in for the measurement.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncpg
import httpx

from services import provision_database
from services.chassis import names
from tests.faults.cooperative import LASER, Coop

CHANNEL = "bench"
PATIENCE_SECONDS = 30.0

_TELL = f"""
CREATE OR REPLACE FUNCTION tell_bench() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN PERFORM pg_notify('{CHANNEL}', NEW.id::text); RETURN NULL; END $$
"""


@dataclass(kw_only=True)
class Latencies:
    """Milliseconds, one entry for each change."""

    count: int
    every: float
    request_to_answer: list[float] = field(default_factory=list[float])
    request_to_neighbour: list[float] = field(default_factory=list[float])
    commit_to_neighbour: list[float] = field(default_factory=list[float])
    commit_to_federation: list[float] = field(default_factory=list[float])
    commit_to_border: list[float] = field(default_factory=list[float])
    commit_to_peer: list[float] = field(default_factory=list[float])

    def rows(self) -> Sequence[tuple[str, list[float]]]:
        return (
            ("HTTP request at Lille's catalog to its answer", self.request_to_answer),
            ("(a) HTTP request to the row in Lille's search", self.request_to_neighbour),
            ("(a) commit at Lille to the row in Lille's search", self.commit_to_neighbour),
            ("    commit at Lille to its federation's log", self.commit_to_federation),
            ("    commit at Lille to Namur's federation", self.commit_to_border),
            ("(b) commit at Lille to the row in Namur's search", self.commit_to_peer),
        )


class Witness:
    """Notes when rows of one table are committed, by id."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._any: list[float] = []
        self._news = asyncio.Event()

    async def watch(self, coop: Coop, service: str, table: str, *, event: str = "INSERT") -> asyncpg.Connection:
        url = provision_database.in_database(
            coop.local.addresses.admin_database_url, names.database(coop.name, service)
        )
        connection: asyncpg.Connection = await asyncpg.connect(url)
        await connection.execute(_TELL if table in {"things", "listings"} else _TELL.replace("NEW.id", "now()"))
        await connection.execute(
            f"CREATE TRIGGER tell_bench AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION tell_bench()"
        )
        await connection.add_listener(CHANNEL, self._hear)
        return connection

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        now = time.perf_counter()
        self._seen.setdefault(str(payload), now)
        self._any.append(now)
        self._news.set()

    async def when(self, row_id: str) -> float:
        """When the row was committed first. Raises TimeoutError."""
        return await self._wait(lambda: self._seen.get(row_id))

    async def first_after(self, instant: float) -> float:
        """When any row was committed first after `instant`. Raises TimeoutError."""
        return await self._wait(lambda: next((seen for seen in self._any if seen >= instant), None))

    async def _wait(self, look: Callable[[], float | None]) -> float:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := look()) is None:
                self._news.clear()
                await self._news.wait()
        return found


def measure(lille: Coop, namur: Coop, *, count: int, every: float) -> Latencies:
    """Publish `count` offers for peers in Lille, one every `every` seconds."""
    return asyncio.run(_measure(lille, namur, Latencies(count=count, every=every)))


async def _measure(lille: Coop, namur: Coop, found: Latencies) -> Latencies:
    written, here, logged, crossed, there = (Witness() for _ in range(5))
    connections = [
        await written.watch(lille, "catalog", "listings"),
        await here.watch(lille, "matching", "things"),
        await logged.watch(lille, "federation", "sent_log"),
        await crossed.watch(namur, "federation", "positions", event="UPDATE"),
        await there.watch(namur, "matching", "things"),
    ]
    async with httpx.AsyncClient(timeout=30) as http:
        for number in range(found.count):
            began = time.perf_counter()
            row_id = await _publish(http, lille, number)
            answered = time.perf_counter()
            committed = await written.when(row_id)
            in_lille, in_namur = await here.when(row_id), await there.when(row_id)
            found.request_to_answer.append((answered - began) * 1000)
            found.request_to_neighbour.append((in_lille - began) * 1000)
            found.commit_to_neighbour.append((in_lille - committed) * 1000)
            found.commit_to_federation.append((await logged.first_after(committed) - committed) * 1000)
            found.commit_to_border.append((await crossed.first_after(committed) - committed) * 1000)
            found.commit_to_peer.append((in_namur - committed) * 1000)
            await asyncio.sleep(max(0.0, every_after(found.every, began)))
    for connection in connections:
        await connection.close()
    return found


def every_after(every: float, began: float) -> float:
    """Seconds left until the next change is due."""
    return every - (time.perf_counter() - began)


async def _publish(http: httpx.AsyncClient, coop: Coop, number: int) -> str:
    # a fresh token each time: they last five minutes, the measurement may last longer
    headers = coop.person(name="Marie").headers()
    listing = LASER | {"title": f"Découpeuse numéro {number}"}
    answer = await http.post(f"{coop.local.url}/api/catalog/listings", json=listing, headers=headers)
    return str(answer.raise_for_status().json()["id"])

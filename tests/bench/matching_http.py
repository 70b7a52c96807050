"""Searching over HTTP, eight at once, and how soon a new offer is found."""

import asyncio
import contextlib
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import sqlalchemy as sa

from contracts.catalog import Audience, ListingState
from contracts.identity import Place
from deploy.demo.api import wait_for
from deploy.local import memory, packages
from deploy.local.packages import WRK
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.matching import taxonomy
from tests.bench.matching_data import KINDS, Words
from tests.bench.matching_variety import PEERS, TAGS
from tests.faults.cooperative import Coop

_CLIENTS = 8
_SECONDS = 5
_NEW, _AGAIN = 4000, 100
_ROUNDS = 6
_ASKED_BEFORE = 6
_PATIENCE = 20.0
_LUA = """
local paths, number, pause = {%s}, 0, %d
function delay() return -pause * math.log(1 - math.random()) end
function request() number = number %% #paths + 1; return wrk.format("GET", paths[number]) end
function done(summary, latency, requests)
  io.write(string.format("figures %%f %%f %%d %%d\\n", latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    summary.requests, summary.errors.status))
end
"""


def text(said: Words, chance: random.Random) -> str:
    """A question of a few words."""
    return f"{chance.choice(said.heads)} {chance.choice(said.others)}"


def over_http(coop: Coop, said: Words, size: int) -> None:
    """Eight people who ask without a pause: every question new (it is encoded), then some that were asked before.

    In the end, eight who read what they found: a new question each after a second, by chance sooner or later.
    """
    chance = random.Random(size)
    for name, count, pause in (("new", _NEW, 0), ("asked before", _AGAIN, 0), ("new, 1/s each", _NEW, 1000)):
        paths = [_path(said, chance) for _ in range(count)]
        if count == _AGAIN:
            _load(coop, paths)
        median, p95, requests, wrong = _load(coop, paths, pause)
        rate = f"{requests / _SECONDS:.0f}/s" + (f", {wrong:.0f} WRONG" if wrong else "")
        print(
            f"{size:>10,}  HTTP, {_CLIENTS} clients, {name:17}{f'{median:.1f} / {p95:.1f} ms':>39}  {rate}", flush=True
        )


def _path(said: Words, chance: random.Random) -> str:
    town = chance.choice(said.towns)
    asked = {"q": text(said, chance), "kind": chance.choice(KINDS), "side": "offer", "radius_km": 50}
    return "/api/matching/search?" + urlencode(asked | {"near": f"{town[0]},{town[1]}"})


def _any_path(said: Words, chance: random.Random) -> str:
    """A search as people combine filters: each combination is a statement of its own."""
    town = chance.choice(said.towns)
    near = {"near": f"{town[0]},{town[1]}", "radius_km": chance.choice((10, 50, 700))}
    given: list[tuple[float, dict[str, Any]]] = [
        (0.7, {"q": text(said, chance)}),
        (0.6, {"kind": chance.choice(KINDS)}),
        (0.8, {"side": "offer"}),
        (0.6, near),
        (0.15, {"tag": chance.choice(said.others[:TAGS])}),
        (0.15, {"topic": chance.choice(taxonomy.leaves()).code}),
        (0.1, {"spoken": chance.choice(("fr", "nl", "en"))}),
        (0.1, {"origin": chance.choice(PEERS)}),
        (0.2, {"sort": "newest"}),
    ]
    asked = {name: value for share, named in given if chance.random() < share for name, value in named.items()}
    return "/api/matching/search?" + urlencode(asked)


def _load(coop: Coop, paths: Sequence[str], pause: int = 0) -> list[float]:
    """Median and 95th percentile in ms, how many requests, how many of them wrong. `pause`: ms before each."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        script.write_text(_LUA % (",".join(json.dumps(path) for path in paths), pause), encoding="utf-8")
        load = [str(packages.ensure(WRK)), "-t1", f"-c{_CLIENTS}", f"-d{_SECONDS}s", "--timeout", "60s"]
        done = subprocess.run([*load, "-s", str(script), coop.local.url], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("figures "))
    return [float(part) for part in line.split()[1:]]


def listing(side: str, title: str, *, kind: str, town: tuple[float, float]) -> ListingState:
    """A public offer or need of its own author."""
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


def alone(coop: Coop, said: Words) -> None:
    """What the service weighs in a process of its own, as in compose, after it has answered for a while."""
    coop.kill()
    coop.services = ("matching",)
    coop.start()
    wait_for("matching to be ready", lambda: is_ready(coop), seconds=60)
    chance = random.Random(1)
    for name, path, rounds in (("one kind of question", _path, 1), ("filters of all kinds", _any_path, _ROUNDS)):
        for _ in range(rounds):
            _load(coop, [path(said, chance) for _ in range(_NEW)])
        pid = coop.pid
        if pid is not None:
            print(f"after {name}:", memory.report([pid]), sep="\n")


def is_ready(coop: Coop) -> bool:
    """Whether matching answers."""
    with contextlib.suppress(httpx.HTTPError):
        return coop.http.get(coop.local.ready_url("matching")).is_success
    return False


async def freshness(coop: Coop, db: Database) -> None:
    """From the answer of catalog that an offer is published until a search finds it: one that was asked before."""
    person = coop.person()
    new, began = {"id": ""}, 0.0
    async with httpx.AsyncClient(base_url=f"{coop.local.url}/api/matching", timeout=60) as client:

        async def until(done: Callable[[], Awaitable[bool]]) -> float:
            while time.perf_counter() - began < _PATIENCE:
                if await done():
                    break
                await asyncio.sleep(0.005)
            return (time.perf_counter() - began) * 1000

        async def by_words() -> bool:
            asked = {"q": "zwibelofon", "kind": "machine"}
            answer = (await client.get("/search", params=asked, headers=person.headers())).json()
            return any(item["id"] == new["id"] for item in answer["items"])

        async def by_meaning() -> bool:
            async with db.reading() as session:
                found = sa.text("SELECT 1 FROM meanings WHERE id = :id")
                return (await session.execute(found, {"id": UUID(new["id"])})).scalar() is not None

        for _ in range(_ASKED_BEFORE):
            await by_words()
        new = await asyncio.to_thread(person.publish, "Zwibelofon basculant")
        began = time.perf_counter()
        words_ms, meaning_ms = await until(by_words), await until(by_meaning)
    print(f"{'':12}a new offer is found by words after {words_ms:.0f} ms, by meaning after {meaning_ms:.0f} ms")

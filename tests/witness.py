"""What the cooperatives of a test that fails have to say: what they complained of, and how their links stand.

Added to the error, on its one line, so that the summary of a run on another machine tells where something stopped.
"""

import asyncio
import json
from collections.abc import Generator, Sequence
from typing import Any

import asyncpg
import pytest

from deploy.local.instance import LocalInstance
from services.chassis import names

alive: list[LocalInstance] = []
"""Cooperatives that run as processes of their own at this moment."""

_COMPLAINTS_AT_MOST = 5
_LONGEST = 160
_LINKS = """
SELECT l.kind, l.peer_name, l.status, o.command, o.done_generation = o.generation AS done, o.error, o.shovel,
       o.waiting, p.applied_to AS heard, p.seen_to AS seen, s.seq AS said, s.acked_to AS acked,
       (SELECT count(*) FROM border_outbox b WHERE coalesce(b.via, b.link_id) = l.id) AS outbox,
       (SELECT count(*) FROM quarantine q WHERE q.link_id = l.id) AS quarantine
  FROM links l
  LEFT JOIN broker_orders o ON o.link_id = l.id
  LEFT JOIN positions p ON p.link_id = l.id
  LEFT JOIN streams s ON s.link_id = l.id
 WHERE l.status <> 'ended'
 ORDER BY l.created_at
"""


def testify(error: BaseException, instances: Sequence[LocalInstance]) -> None:
    """Add to a wait in vain what `instances` have to say. Other errors speak for themselves."""
    if isinstance(error, TimeoutError) and instances and "; they say: " not in str(error):
        error.args = (f"{error}; they say: {account(instances)}",)


def account(instances: Sequence[LocalInstance]) -> str:
    """What they have to say, on one line."""
    return " | ".join(f"{one.name}: {'; '.join([*_complaints(one), *_links(one)]) or 'nothing'}" for one in instances)


def _complaints(instance: LocalInstance) -> list[str]:
    """The last warnings and errors in its logs, each kind once."""
    found: dict[str, None] = {}
    for what in ("all", "broker-agent"):
        path = instance.log(what)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        for line in lines:
            entry = _entry(line)
            if what == "broker-agent" or entry.get("level") in {"warning", "error", "critical"}:
                told = " ".join(str(entry[key]) for key in ("event", "duty", "error") if key in entry) or line
                told = " ".join(told.split())[:_LONGEST]
                found.pop(told, None)  # the last time counts
                found[told] = None
    return list(found)[-_COMPLAINTS_AT_MOST:]


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _links(instance: LocalInstance) -> list[str]:
    try:
        rows = asyncio.run(_rows(instance))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [f"no database: {error!r}"]
    return ["link " + " ".join(f"{key}={value}" for key, value in row.items() if value is not None) for row in rows]


async def _rows(instance: LocalInstance) -> list[Any]:
    address, _, _ = instance.addresses.admin_database_url.rpartition("/")
    db = await asyncpg.connect(f"{address}/{names.database(instance.name, 'federation')}", timeout=10)
    try:
        return await db.fetch(_LINKS)
    finally:
        await db.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Before the report is made of the error."""
    if call.excinfo is not None:
        testify(call.excinfo.value, alive)
    return (yield)

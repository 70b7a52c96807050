"""All that an instance stores: every row of every table of its databases, every message that waits in its queues."""

import json
from typing import Any

import asyncpg

from services.chassis import names
from services.chassis.management import Management

_TABLES = "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
AT_MOST = 1000


async def everything_in(name: str, *, database_url: str, broker_url: str) -> str:
    """As one text, for the instance `name`; the addresses are those of the servers' administrators."""
    found = [
        await _database(f"{database_url.rpartition('/')[0]}/{names.database(name, one)}") for one in names.SERVICES
    ]
    async with Management(broker_url) as management:
        for vhost in (names.vhost(name), names.border_vhost(name)):
            queues = [queue["name"] for queue in await management.call("GET", "queues", vhost)]
            found.extend([await _queue(management, vhost, queue) for queue in queues])
    return "\n".join(found)


async def _database(url: str) -> str:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.InvalidCatalogNameError:  # portal has none
        return ""
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        rows = [await connection.fetch(f"SELECT t::text FROM {table} t") for table in tables]  # noqa: S608 - quoted
    finally:
        await connection.close()
    return "\n".join(row[0] for some in rows for row in some)


async def _queue(management: Management, vhost: str, name: str) -> str:
    wish: Any = {"count": AT_MOST, "ackmode": "ack_requeue_true", "encoding": "auto"}
    return json.dumps(await management.call("POST", "queues", vhost, name, "get", body=wish), ensure_ascii=False)

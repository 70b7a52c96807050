"""Last night's backup of a border post: all that its database held, and an empty broker when it comes back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.management import Management
from services.federation import recovery
from services.federation.tables import metadata
from tests.services.federation.pair import Post

Backup = dict[sa.Table, list[dict[str, Any]]]


async def backup(post: Post) -> Backup:
    """Every row of every table, as of one moment."""
    async with post.db.transaction() as session:
        await session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        return {
            table: [dict(row) for row in (await session.execute(sa.select(table))).mappings()]
            for table in metadata.tables.values()
        }


async def restore(post: Post, saved: Backup, *, declared: bool = True) -> None:
    """What `deploy/restore.sh` does. Not `declared`: somebody forgot to say that it was a restore."""
    await post.db.run(_put_back, post, saved, declared=declared)  # its loops run on: a deadlock is tried again


async def _put_back(session: AsyncSession, post: Post, saved: Backup, *, declared: bool) -> None:
    everything = ", ".join(f'"{table.name}"' for table in saved)
    await session.execute(sa.text(f"LOCK TABLE {everything} IN EXCLUSIVE MODE"))
    for table, rows in saved.items():
        await session.execute(sa.delete(table))
        if rows:
            await session.execute(sa.insert(table), rows)
    await empty(post)  # before its loops go on: what they then say, and hear, is of the life after
    if declared:
        await recovery.begin(session, by="restored", now=Clock().now(), anew=True)
    await session.execute(sa.select(sa.func.pg_notify("links", "")))


async def empty(post: Post) -> None:
    """The broker has forgotten what waited for peers, and from them."""
    vhost = names.border_vhost(post.instance.name)
    async with Management(post.instance.settings().secret("admin_broker_url")) as management:
        for queue in await management.call("GET", "queues", vhost):
            await management.call("DELETE", "queues", vhost, queue["name"], "contents")

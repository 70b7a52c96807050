"""How much a peer may have said again in an hour, by asking for it.

Enough for whoever has lost 100,000 events with its broker. What it asks for beyond that is counted and shown as
refused, and comes when the hour is over: whoever lacks something asks again.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation.mending_tables import replays
from services.federation.tables import sent_log

HOUR = timedelta(hours=1)
MESSAGES_IN_AN_HOUR = 200_000
OCTETS_IN_AN_HOUR = 500_000_000
"""Of the log, which what goes out is a little larger than."""


async def spend(session: AsyncSession, link: sa.RowMapping, logged: sa.ColumnElement[bool], *, now: datetime) -> bool:
    """Count what is in the log where `logged` for the peer of `link`, with its answer; false when its hour is full."""
    begun = insert(replays).values(link_id=link["id"], since=now, messages=0, octets=0).on_conflict_do_nothing()
    await session.execute(begun)
    mine = replays.c.link_id == link["id"]
    anew = sa.update(replays).where(mine, replays.c.since <= now - HOUR)
    await session.execute(anew.values(since=now, messages=0, octets=0))
    spent = (await session.execute(sa.select(replays).where(mine).with_for_update())).one()
    if spent.messages >= MESSAGES_IN_AN_HOUR or spent.octets >= OCTETS_IN_AN_HOUR:
        return False
    octets = sa.func.coalesce(sa.func.sum(sa.func.octet_length(sent_log.c.content)), 0)
    size = (await session.execute(sa.select(sa.func.count(), octets).where(logged))).one()
    more = {"messages": replays.c.messages + 1 + size[0], "octets": replays.c.octets + size[1]}
    await session.execute(sa.update(replays).where(mine).values(**more))
    return True

"""How much a peer may have said by asking for it, in an hour: again from our log, or anew.

Enough for whoever has lost 100,000 events with its broker. What it asks for beyond that is counted and shown as
refused, and comes when the hour is over: whoever lacks something asks again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation.mending_tables import replays
from services.federation.tables import sent_log, streams

HOUR = timedelta(hours=1)
MESSAGES_IN_AN_HOUR = 200_000
OCTETS_IN_AN_HOUR = 500_000_000
"""Of the log, which what goes out is a little larger than."""

ANEW = 20
"""Times: what is said anew fills our log for a month, what is said again is there already."""

LOG_IS_READ = 10_000
"""Messages that it counts as when all that was said on the link is looked through, or a hub tells of all members."""


async def spend(session: AsyncSession, link: sa.RowMapping, logged: sa.ColumnElement[bool], *, now: datetime) -> bool:
    """Count what is in the log where `logged` for the peer of `link`, with its answer; false when its hour is full."""
    spent = await _account(session, link, now=now)
    if spent.messages >= MESSAGES_IN_AN_HOUR or spent.octets >= OCTETS_IN_AN_HOUR:
        return False
    messages, octets = await _size(session, logged)
    await _count(session, link, 1 + messages, octets)
    return True


async def is_spent(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> bool:
    """Whether the hour of the peer of `link` is full."""
    full = sa.or_(replays.c.messages >= MESSAGES_IN_AN_HOUR, replays.c.octets >= OCTETS_IN_AN_HOUR)
    query = sa.select(sa.exists().where(replays.c.link_id == link["id"], replays.c.since > now - HOUR, full))
    return bool((await session.execute(query)).scalar_one())


@asynccontextmanager
async def counted(
    session: AsyncSession, link: sa.RowMapping, *, now: datetime, messages: int = 0
) -> AsyncGenerator[None]:
    """Count what is said anew to the peer of `link` meanwhile, because it asks for it; `messages` beside that."""
    query = sa.select(streams.c.epoch, streams.c.seq).where(streams.c.link_id == link["id"])
    before = (await session.execute(query)).one()
    yield
    anew = sa.and_(sent_log.c.link_id == link["id"], sent_log.c.epoch == before.epoch, sent_log.c.seq > before.seq)
    said, octets = await _size(session, anew)
    if said or messages:
        await _account(session, link, now=now)
        await _count(session, link, messages + said * ANEW, octets * ANEW)


async def _account(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> sa.Row[Any]:
    """What the peer of `link` has spent in its hour, which begins anew when it is over; locked."""
    begun = insert(replays).values(link_id=link["id"], since=now, messages=0, octets=0).on_conflict_do_nothing()
    await session.execute(begun)
    mine = replays.c.link_id == link["id"]
    anew = sa.update(replays).where(mine, replays.c.since <= now - HOUR)
    await session.execute(anew.values(since=now, messages=0, octets=0))
    return (await session.execute(sa.select(replays).where(mine).with_for_update())).one()


async def _size(session: AsyncSession, logged: sa.ColumnElement[bool]) -> tuple[int, int]:
    octets = sa.func.coalesce(sa.func.sum(sa.func.octet_length(sent_log.c.content)), 0)
    row = (await session.execute(sa.select(sa.func.count(), octets).where(logged))).one()
    return row[0], row[1]


async def _count(session: AsyncSession, link: sa.RowMapping, messages: int, octets: int) -> None:
    more = {"messages": replays.c.messages + messages, "octets": replays.c.octets + octets}
    await session.execute(sa.update(replays).where(replays.c.link_id == link["id"]).values(**more))

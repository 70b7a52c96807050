"""How much a member of the hub that we are may have passed on in an hour, and how much waits here for one member.

What is over it is not passed on, and not lost: whoever lacks it sees the gap and asks its origin again. A member that
is over it is not read from until its hour is over, so that what it says waits in its own queue.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.federation import linking
from services.federation.hub_tables import traffic
from services.federation.settings import Bounds
from services.federation.tables import broker_orders, links

HOUR = timedelta(hours=1)

NOT_PASSED_ON = Counter("maillage_hub_not_passed_on", "Messages that a hub did not pass on.", ["reason"])
_log = logs.get(__name__)


async def spend(
    session: AsyncSession, link: sa.RowMapping, sizes: Sequence[int], bounds: Bounds, *, times: int = 1, now: datetime
) -> int:
    """How many of the member's next messages, of these sizes in octets, still go on in this hour, each `times`.

    `link`: ours with the member, locked.
    """
    fresh = insert(traffic).values(link_id=link["id"], since=now).on_conflict_do_nothing()
    await session.execute(fresh)
    row = (await session.execute(sa.select(traffic).where(traffic.c.link_id == link["id"]).with_for_update())).one()
    since, messages, octets = (now, 0, 0) if row.since <= now - HOUR else (row.since, row.messages, row.octets)
    going = 0
    for size in sizes:
        if messages + times > bounds.messages or octets + size * times > bounds.octets:
            break
        messages, octets, going = messages + times, octets + size * times, going + 1
    held = going < len(sizes)
    values = {"since": since, "messages": messages, "octets": octets, "held": row.held or held}
    await session.execute(sa.update(traffic).where(traffic.c.link_id == link["id"]).values(**values))
    if held:
        NOT_PASSED_ON.labels("too_much").inc(len(sizes) - going)
    if held and not row.held and link["status"] == "active":
        _log.warning("member-held", link=str(link["id"]), messages=messages, octets=octets)
        await linking.order(session, link, "hold")
    return going


async def full(session: AsyncSession, bounds: Bounds) -> set[UUID]:
    """Members for whom so much waits that nothing is added."""
    query = sa.select(broker_orders.c.link_id).where(broker_orders.c.waiting_octets > bounds.waiting)
    return set((await session.execute(query)).scalars().all())


async def count_dropped(session: AsyncSession, dropped: Mapping[UUID, int], *, now: datetime) -> None:
    """Note how many messages for each of these members were not kept, because too much waits for it."""
    for link_id, count in sorted(dropped.items()):
        row = insert(traffic).values(link_id=link_id, since=now, dropped=count)
        more = {"dropped": traffic.c.dropped + count}
        await session.execute(row.on_conflict_do_update(index_elements=[traffic.c.link_id], set_=more))
        NOT_PASSED_ON.labels("full_there").inc(count)


async def go_on(db: Database, *, now: datetime) -> None:
    """Read again from members whose hour is over."""
    over = sa.and_(traffic.c.held, traffic.c.since <= now - HOUR)
    async with db.reading() as session:
        due = (await session.execute(sa.select(traffic.c.link_id).where(over))).scalars().all()
    for link_id in due:
        await db.run(_go_on, link_id)


async def _go_on(session: AsyncSession, link_id: UUID) -> None:
    query = sa.select(links).where(links.c.id == link_id, links.c.status == "active").with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is not None:
        await linking.order(session, link, "create")
    await session.execute(sa.update(traffic).where(traffic.c.link_id == link_id).values(held=False))

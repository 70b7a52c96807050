"""How much a member of the hub that we are may have passed on in an hour, and how much waits here for one member.

What is over it is not passed on, and not lost: whoever lacks it sees the gap and asks its origin again. A member that
is over it is not read from until its hour is over, so that what it says waits in its own queue.

One that sends much to one other (or whom that one makes say much again) goes on towards the rest: of what is for all,
one may have its share. What is over that share is read and let go.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.federation import linking
from services.federation.hub_tables import traffic, traffic_to
from services.federation.settings import Bounds
from services.federation.tables import broker_orders, links

HOUR = timedelta(hours=1)
READ_TIMES = 5
"""Times what a member may have passed on in an hour, so much is read and let go before it is not read from."""

NOT_PASSED_ON = Counter("maillage_hub_not_passed_on", "Messages that a hub did not pass on.", ["reason"])
_log = logs.get(__name__)


async def spend(
    session: AsyncSession, link: sa.RowMapping, sizes: Sequence[int], bounds: Bounds, *, times: int = 1, now: datetime
) -> int:
    """How many of the member's next messages, of these sizes in octets, still go on in this hour, each `times`.

    `link`: ours with the member, locked.
    """
    row = await _traffic_of(session, link, now=now)
    messages, octets, going = row.messages, row.octets, 0
    for size in sizes:
        if messages + times > bounds.messages or octets + size * times > bounds.octets:
            break
        messages, octets, going = messages + times, octets + size * times, going + 1
    values = {"messages": messages, "octets": octets}
    await session.execute(sa.update(traffic).where(traffic.c.link_id == link["id"]).values(**values))
    if going < len(sizes):
        NOT_PASSED_ON.labels("too_much").inc(len(sizes) - going)
        await _hold(session, link, row)
    return going


async def spend_on_each(
    session: AsyncSession, link: sa.RowMapping, going: Sequence[tuple[UUID, int]], bounds: Bounds, *, now: datetime
) -> list[bool]:
    """Which of the member's next messages, by addressee and size in octets, are within what may go to that one alone.

    What is over it does not use up what is for the others, and is read on: until it is more than anybody has to say.
    """
    row = await _traffic_of(session, link, now=now)
    mine = sa.and_(traffic_to.c.link_id == link["id"], traffic_to.c.to_link_id.in_({to for to, _ in going}))
    query = sa.select(traffic_to).where(mine, traffic_to.c.since > now - HOUR)
    spent = {one.to_link_id: [one.messages, one.octets, one.since] for one in (await session.execute(query)).all()}
    within: list[bool] = []
    for to, size in going:
        account = spent.setdefault(to, [0, 0, now])
        within.append(account[0] < bounds.messages_to_one and account[1] + size <= bounds.octets_to_one)
        if within[-1]:
            account[:2] = account[0] + 1, account[1] + size
    for to, (messages, octets, since) in sorted(spent.items()):
        values = {"since": since, "messages": messages, "octets": octets}
        kept = insert(traffic_to).values(link_id=link["id"], to_link_id=to, **values)
        key = [traffic_to.c.link_id, traffic_to.c.to_link_id]
        await session.execute(kept.on_conflict_do_update(index_elements=key, set_=values))
    if over := within.count(False):
        NOT_PASSED_ON.labels("too_much_to_one").inc(over)
        counted = sa.update(traffic).where(traffic.c.link_id == link["id"])
        await session.execute(counted.values(too_much_to_one=row.too_much_to_one + over))
        if row.too_much_to_one + over > bounds.messages * READ_TIMES:
            await _hold(session, link, row)
    return within


async def _traffic_of(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> sa.Row[Any]:
    """What the member has spent in its hour, which begins anew when it is over; locked."""
    fresh = insert(traffic).values(link_id=link["id"], since=now).on_conflict_do_nothing()
    await session.execute(fresh)
    mine = traffic.c.link_id == link["id"]
    # one that is held goes on first (`go_on`), or a straggler would begin another hour of it
    anew = sa.update(traffic).where(mine, traffic.c.since <= now - HOUR, sa.not_(traffic.c.held))
    await session.execute(anew.values(since=now, messages=0, octets=0, too_much_to_one=0))
    return (await session.execute(sa.select(traffic).where(mine).with_for_update())).one()


async def _hold(session: AsyncSession, link: sa.RowMapping, row: sa.Row[Any]) -> None:
    await session.execute(sa.update(traffic).where(traffic.c.link_id == link["id"]).values(held=True))
    if not row.held and link["status"] == "active":
        _log.warning("member-held", link=str(link["id"]), messages=row.messages, octets=row.octets)
        await linking.order(session, link, "hold")


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

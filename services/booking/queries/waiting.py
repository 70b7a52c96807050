"""Waiting lists: who waits for what, and at which place in the line."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Person
from services.booking.domain.waiting import OPEN_WISHES, Entry
from services.booking.tables import circles, members, waiting


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A wish with its position: 1 is the next of those that want some of the same time. None: it waits no more."""

    entry: Entry
    position: int | None


async def wish(session: AsyncSession, waiting_id: UUID, *, lock: bool = False) -> Entry | None:
    """A wish by its id; with `lock`, held until the transaction ends."""
    found = sa.select(Entry).where(waiting.c.id == waiting_id).execution_options(populate_existing=True)
    return (await session.execute(found.with_for_update() if lock else found)).scalar()


async def line_of(session: AsyncSession, offer_id: UUID) -> list[Entry]:
    """The open wishes for our resource in the order of arrival, locked."""
    found = (
        sa.select(Entry)
        .where(waiting.c.offer_id == offer_id, waiting.c.status.in_(OPEN_WISHES))
        .order_by(waiting.c.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(found)).scalars())


async def placed(session: AsyncSession, which: sa.ColumnElement[bool], *, most: int = 200) -> list[Placed]:
    """Those wishes of `waiting` with their positions, in the order of arrival."""
    ahead = waiting.alias("ahead")
    before = (
        sa.select(sa.func.count())
        .where(ahead.c.offer_id == waiting.c.offer_id, ahead.c.status == "waiting", ahead.c.number < waiting.c.number)
        .where(ahead.c.starts_at < waiting.c.ends_at, waiting.c.starts_at < ahead.c.ends_at)
        .scalar_subquery()
    )
    found = sa.select(Entry, before).where(which).order_by(waiting.c.number).limit(most)
    return [
        Placed(entry=entry, position=count + 1 if entry.status == "waiting" else None)
        for entry, count in (await session.execute(found)).all()
    ]


async def wishes_of(session: AsyncSession, member_id: UUID, *, since: datetime) -> list[Placed]:
    """What a member waits for, and what has ended since `since` without coming to a booking."""
    ended = sa.and_(waiting.c.status.in_(("lapsed", "ended")), waiting.c.changed_at > since)
    return await placed(
        session, sa.and_(waiting.c.member_id == member_id, sa.or_(waiting.c.status.in_(OPEN_WISHES), ended))
    )


async def open_wishes(session: AsyncSession, member_id: UUID) -> list[Entry]:
    """The open wishes of a member, for whatever resource."""
    found = sa.select(Entry).where(waiting.c.member_id == member_id, waiting.c.status.in_(OPEN_WISHES))
    return list((await session.execute(found)).scalars())


async def people(session: AsyncSession, member_ids: set[UUID]) -> dict[UUID, Person]:
    """Active members of ours with their circles, in two queries however many they are."""
    known = sa.select(members).where(members.c.id.in_(member_ids), members.c.status == "active")
    rows = (await session.execute(known)).all()
    theirs: dict[UUID, dict[UUID, str]] = {row.id: {} for row in rows}
    groups = sa.select(circles).where(circles.c.status == "active", circles.c.member_ids.overlap(list(theirs)))
    for group in (await session.execute(groups)).all() if theirs else ():
        for member_id in theirs.keys() & set(group.member_ids):
            theirs[member_id][group.id] = group.name
    return {
        row.id: Person(
            id=row.id,
            name=row.name,
            role=row.role,
            circle_ids=frozenset(theirs[row.id]),
            circle_names=theirs[row.id],
        )
        for row in rows
    }

"""Copies of members and circles, and what their changes mean for listings."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from contracts.identity import CircleState, MemberState
from services.catalog import states
from services.catalog.commands import forgetting
from services.catalog.commands.listings import update
from services.catalog.tables import circles, listings, members
from services.chassis import outbox

Row = sa.RowMapping


async def keep_member(session: AsyncSession, member: MemberState) -> None:
    """Keep the newest copy. A new name shows on the member's listings; what a member who left wrote goes."""
    values = member.model_dump(include={"id", "name", "status", "version"})
    if member.status == "left":
        values["name"] = ""
    statement = insert(members).values(**values)
    newest = statement.on_conflict_do_update(
        index_elements=["id"], set_=values, where=members.c.version < statement.excluded.version
    )
    if (await session.execute(newest.returning(members.c.id))).scalar() is None:
        return
    if member.status == "left":
        await _settle_listings_of(session, member.id)
        await forgetting.forget(session, member.id)
    else:
        alone = listings.c.owner_circle_id.is_(None)
        await _rename(session, sa.and_(listings.c.owner_member_id == member.id, alone), member.name)


async def keep_circle(session: AsyncSession, circle: CircleState) -> None:
    """Keep the newest copy; a new name shows on the circle's listings."""
    values = circle.model_dump(include={"id", "name", "member_ids", "status", "version"})
    statement = insert(circles).values(**values)
    newest = statement.on_conflict_do_update(
        index_elements=["id"], set_=values, where=circles.c.version < statement.excluded.version
    )
    if (await session.execute(newest.returning(circles.c.id))).scalar() is not None:
        await _rename(session, listings.c.owner_circle_id == circle.id, circle.name)


async def _rename(session: AsyncSession, of_owner: sa.ColumnElement[bool], name: str) -> None:
    rows = await _locked(session, sa.and_(of_owner, listings.c.owner_name != name))
    events = [states.published(await _set(session, row, owner_name=name)) for row in rows]
    await outbox.add(session, *events)


async def _settle_listings_of(session: AsyncSession, member_id: UUID) -> None:
    """A circle's listing passes to another of its members; everything else is withdrawn."""
    events: list[Event] = []
    for row in await _locked(session, listings.c.owner_member_id == member_id):
        heir = await _heir(session, row["owner_circle_id"], but=member_id)
        if heir is not None:
            events.append(states.published(await _set(session, row, owner_member_id=heir)))
        else:
            events.append(states.withdrawn(await _set(session, row, status="withdrawn"), "owner_left"))
    await outbox.add(session, *events)


async def _heir(session: AsyncSession, circle_id: UUID | None, *, but: UUID) -> UUID | None:
    if circle_id is None:
        return None
    of_circle = sa.select(circles.c.member_ids).where(circles.c.id == circle_id, circles.c.status == "active")
    ids = (await session.execute(of_circle)).scalar() or []
    active = sa.select(members.c.id).where(members.c.id.in_(ids), members.c.status == "active", members.c.id != but)
    return (await session.execute(active.order_by(members.c.id).limit(1))).scalar()


async def _locked(session: AsyncSession, condition: sa.ColumnElement[bool]) -> list[Row]:
    found = sa.select(listings).where(condition, listings.c.status == "published").order_by(listings.c.id)
    return list((await session.execute(found.with_for_update())).mappings())


async def _set(session: AsyncSession, row: Row, **values: object) -> Row:
    return await update(session, row, values, now=datetime.now(UTC))

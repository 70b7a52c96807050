"""Wishes to be put in touch, as the two people concerned read them."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.member_tables import introductions
from services.matching.tables import OURS, resources, things

Row = sa.RowMapping
_MOST = 100


async def introductions_of(session: AsyncSession, member_id: UUID) -> Sequence[Row]:
    """Those that the member asked for or is asked: what waits first, then the newest."""
    waits = introductions.c.status == "asked"
    chosen = _with_things().where(_concerns(member_id)).order_by(waits.desc(), introductions.c.changed_at.desc())
    return (await session.execute(chosen.limit(_MOST))).mappings().all()


async def introduction(session: AsyncSession, key: tuple[str, UUID], member_id: UUID) -> Row | None:
    """One (the asker's peer, id) that concerns the member."""
    same = (introductions.c.asker_peer == key[0], introductions.c.id == key[1], _concerns(member_id))
    return (await session.execute(_with_things().where(*same))).mappings().one_or_none()


async def of_need(session: AsyncSession, need_id: UUID) -> dict[tuple[str, UUID], Row]:
    """The newest question about each offer for a need, by (origin, id)."""
    chosen = sa.select(introductions).where(introductions.c.need_id == need_id, introductions.c.asker_peer == OURS)
    rows = (await session.execute(chosen.order_by(introductions.c.asked_at))).mappings().all()
    return {(row["origin"], row["thing_id"]): row for row in rows}


async def promised(session: AsyncSession, need_id: UUID) -> Sequence[Row]:
    """What was promised towards a need of ours: by owners of offers asked for it, or by people who came to help."""
    chosen = sa.select(introductions).where(pledged_to(need_id)).order_by(introductions.c.changed_at)
    return (await session.execute(chosen)).mappings().all()


def pledged_to(need_id: UUID) -> sa.ColumnElement[bool]:
    """Introductions that say how much of a need of ours somebody promised, agreed by both."""
    came = sa.and_(introductions.c.origin == OURS, introductions.c.thing_id == need_id)
    asked = sa.and_(introductions.c.asker_peer == OURS, introductions.c.need_id == need_id)
    agreed = sa.and_(introductions.c.status == "accepted", introductions.c.quantity.is_not(None))
    return sa.and_(sa.or_(came, asked), agreed)


def _concerns(member_id: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(introductions.c.asker_id == member_id, introductions.c.owner_id == member_id)


def _with_things() -> sa.Select[tuple[object, ...]]:
    same = sa.and_(things.c.origin == introductions.c.origin, things.c.id == introductions.c.thing_id)
    resource = sa.and_(
        resources.c.origin == introductions.c.origin, resources.c.offer_id == introductions.c.thing_id, resources.c.open
    )
    chosen = sa.select(introductions, things.c.side, things.c.unit, resources.c.open.label("bookable"))
    return chosen.select_from(introductions.outerjoin(things, same).outerjoin(resources, resource))

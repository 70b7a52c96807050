"""Who asks."""

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Person
from services.booking.tables import circles, members
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed


async def person_of(session: AsyncSession, actor: Actor) -> Person:
    """The member behind a token, with circles. Raises NotAllowed when they have left."""
    status = sa.select(members.c.status).where(members.c.id == actor.id).scalar_subquery()
    row = (await session.execute(sa.select(status.label("status"), _circles_of(actor.id).label("circles")))).one()
    if row.status == "left":
        raise NotAllowed
    return member_with(actor, {UUID(circle_id): name for circle_id, name in (row.circles or {}).items()})


def member_with(actor: Actor, named: Mapping[UUID, str]) -> Person:
    """The member behind a token, who belongs to the circles `named`."""
    return Person(id=actor.id, name=actor.name, role=actor.role, circle_ids=frozenset(named), circle_names=named)


async def member(session: AsyncSession, member_id: UUID) -> Person | None:
    """An active member of ours; None when unknown or gone."""
    row = (
        await session.execute(sa.select(members).where(members.c.id == member_id, members.c.status == "active"))
    ).first()
    if row is None:
        return None
    theirs = await circles_of(session, member_id)
    return Person(id=row.id, name=row.name, role=row.role, circle_ids=frozenset(theirs), circle_names=theirs)


async def circles_of(session: AsyncSession, member_id: UUID) -> dict[UUID, str]:
    """The open circles that a member belongs to, with their names."""
    found = (await session.execute(sa.select(_circles_of(member_id)))).scalar()
    return {UUID(circle_id): name for circle_id, name in (found or {}).items()}


def _circles_of(member_id: UUID) -> sa.ScalarSelect[dict[str, str] | None]:
    """The names of a member's open circles by id, as JSON."""
    named = sa.func.jsonb_object_agg(sa.cast(circles.c.id, sa.Text), circles.c.name, type_=JSONB)
    mine = sa.and_(circles.c.status == "active", circles.c.member_ids.contains([member_id]))
    return sa.select(named).where(mine).scalar_subquery()

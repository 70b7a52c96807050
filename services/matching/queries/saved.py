"""A member's saved searches, as the member and as new things find them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import audience
from services.matching.meaning import Vector, similarities
from services.matching.member_tables import alerted, saved_searches
from services.matching.relevance import FOUND_MEANING
from services.matching.tables import OURS, things

Row = sa.RowMapping
_EARTH_KM = 6371.0088


async def searches_of(session: AsyncSession, member_id: UUID) -> Sequence[Row]:
    """All that the member keeps with how many things each has found, the newest first."""
    found = sa.select(sa.func.count()).where(alerted.c.search_id == saved_searches.c.id).scalar_subquery()
    chosen = sa.select(saved_searches, found.label("found")).where(saved_searches.c.member_id == member_id)
    rows = await session.execute(chosen.order_by(saved_searches.c.made_at.desc(), saved_searches.c.id.desc()))
    return rows.mappings().all()


async def alerts_of(session: AsyncSession, member_id: UUID) -> Sequence[Row]:
    """What the member's searches have found, the oldest first."""
    chosen = sa.select(alerted).where(alerted.c.member_id == member_id)
    return (await session.execute(chosen.order_by(alerted.c.found_at, alerted.c.thing_id))).mappings().all()


async def likely_for(session: AsyncSession, thing: Row, vector: Vector | None, version: str) -> list[Row]:
    """The searches that `thing` may be for: their plain criteria hold, and a word or the meaning is near.

    `vector`: the thing's; those of searches count when they are of the same `version`, or not known.
    """
    stems = sa.select(sa.func.tsvector_to_array(things.c.words)).where(
        things.c.origin == thing["origin"], things.c.id == thing["id"]
    )
    shares = saved_searches.c.lexemes.overlap(sa.cast(stems.scalar_subquery(), ARRAY(sa.Text)))
    chosen = sa.select(saved_searches, shares.label("shares")).where(*_plain_criteria(thing))
    rows = (await session.execute(chosen)).mappings().all()
    near: list[float | None] = [None] * len(rows)
    if vector is not None:
        near = similarities(vector, [row["vector"] if row["model"] == version else None for row in rows])
    return [row for row, meaning in zip(rows, near, strict=True) if _may_be(row, vector, meaning)]


def _may_be(row: Row, vector: Vector | None, meaning: float | None) -> bool:
    if row["shares"] or not row["lexemes"]:
        return True
    return vector is not None and (meaning is None or meaning >= FOUND_MEANING)


def _plain_criteria(thing: Row) -> list[sa.ColumnElement[bool]]:
    one = saved_searches.c
    told = sa.exists().where(
        alerted.c.member_id == one.member_id, alerted.c.origin == thing["origin"], alerted.c.thing_id == thing["id"]
    )
    found = [sa.not_(one.paused), one.since < thing["said_at"], sa.not_(told)]
    origin = "ours" if thing["origin"] == OURS else thing["origin"]
    found += [
        sa.or_(column.is_(None), column == value)
        for column, value in ((one.side, thing["side"]), (one.kind, thing["kind"]), (one.origin, origin))
    ]
    if thing["owner_member_id"] is not None:
        found.append(one.member_id != thing["owner_member_id"])
    anywhere = sa.or_(one.radius_km.is_(None), one.latitude.is_(None))
    if thing["latitude"] is None or thing["longitude"] is None:
        return [*found, anywhere]
    return [*found, sa.or_(anywhere, _kilometres(thing["latitude"], thing["longitude"]) <= one.radius_km)]


def _kilometres(latitude: float, longitude: float) -> sa.ColumnElement[float]:
    """The way from a point (degrees) to where a search looks (haversine)."""
    here, there = sa.func.radians(latitude), sa.func.radians(saved_searches.c.latitude)
    half = sa.func.power(sa.func.sin((there - here) / 2), 2)
    turn = sa.func.sin(sa.func.radians(saved_searches.c.longitude - longitude) / 2)
    half += sa.func.cos(here) * sa.func.cos(there) * sa.func.power(turn, 2)
    return 2 * _EARTH_KM * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, half)))


def still_for(member_id: UUID, now: datetime) -> list[Any]:
    """Conditions on `things`: the member may see it now, and it is not their own, nor of a circle of theirs."""
    return [audience.visible_to(member_id, now), sa.not_(sa.func.coalesce(audience.owned_by(member_id), sa.false()))]

"""What there is, without a word that was asked for: the newest, or the nearest."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking
from services.matching.conditions import Conditions
from services.matching.domain import Point
from services.matching.queries import results
from services.matching.queries.candidates import Candidate
from services.matching.queries.filters import Filters, conditions_of
from services.matching.ranking import Circle
from services.matching.tables import meanings, things

MOST = 500
"""Results that are ranked and counted."""

_RINGS = (3.0, 10.0, 30.0, 100.0, 300.0)


async def newest(
    session: AsyncSession, filters: Filters, *, member_id: UUID | None, now: datetime, version: str
) -> list[Candidate]:
    """The newest of what the member may see."""
    conditions = conditions_of(filters, member_id=member_id, now=now)
    return await _read(session, conditions, {"version": version}, nearest=False)


async def nearest(
    session: AsyncSession, filters: Filters, *, near: Point, member_id: UUID | None, now: datetime, version: str
) -> list[Candidate]:
    """The nearest to a point: looked for in small circles first, so that a large town is not read to its end."""
    found: list[Candidate] = []
    for circle in _circles(near, filters.circle):
        conditions = conditions_of(replace(filters, circle=circle), member_id=member_id, now=now)
        values = {"version": version, **ranking.around(near)}
        found = await _read(session, conditions, values, nearest=True)
        if len(found) == MOST:
            break
    return found


def _circles(near: Point, whole: Circle | None) -> Iterator[Circle | None]:
    for km in _RINGS:
        if whole is None or km < whole.radius_km:
            yield Circle(centre=near, radius_km=km)
    yield whole


async def _read(
    session: AsyncSession, conditions: Conditions, values: dict[str, Any], *, nearest: bool
) -> list[Candidate]:
    rows = await session.execute(_statement(conditions, nearest=nearest), {**conditions.values, **values})
    return [Candidate(row, None) for row in rows.mappings()]


@lru_cache(maxsize=256)
def _statement(conditions: Conditions, *, nearest: bool) -> sa.Select[*tuple[Any, ...]]:
    order: list[Any] = [things.c.changed_at.desc(), things.c.id.desc(), things.c.origin]
    if nearest:
        order.insert(0, ranking.kilometres(Point(latitude=0.0, longitude=0.0)).asc().nulls_last())
    nothing = sa.literal_column("0.0", sa.Double).label("coverage")
    chosen = sa.select(*results.LIGHT, nothing).where(*conditions.clauses).order_by(*order)
    one = chosen.limit(sa.literal_column(str(MOST))).subquery("one")
    same = sa.and_(meanings.c.origin == one.c.origin, meanings.c.id == one.c.id)
    known = sa.and_(same, meanings.c.model == sa.bindparam("version", type_=sa.Text))
    return sa.select(*one.c, meanings.c.topics).select_from(one.outerjoin(meanings, known))

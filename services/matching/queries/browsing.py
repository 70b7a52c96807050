"""What there is, without a word that was asked for: the newest, or the nearest."""

import math
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking
from services.matching.conditions import Conditions
from services.matching.domain import Point
from services.matching.queries import results
from services.matching.queries.candidates import Candidate
from services.matching.queries.filters import Filters, conditions_of
from services.matching.queries.nearest import KINDS, like
from services.matching.ranking import Circle
from services.matching.tables import meanings, things

MOST = 500
"""Results that are ranked and counted."""

_FIRST_KM, _LAST_KM = 3.0, 300.0
_LEAST, _SLOWEST, _FASTEST = 0.5, 1.3, 4.0
_BOX = 4 / math.pi
"""How much larger a box is than the circle in it."""
_MOST_COUNTED = 3 * MOST


async def newest(
    session: AsyncSession, filters: Filters, *, member_id: UUID | None, now: datetime, version: str
) -> list[Candidate]:
    """The newest of what the member may see."""
    conditions = conditions_of(filters, member_id=member_id, now=now)
    return await _read(session, conditions, {"version": version}, nearest=False)


async def nearest(
    session: AsyncSession, filters: Filters, *, near: Point, member_id: UUID | None, now: datetime, version: str
) -> list[Candidate]:
    """The nearest to a point: looked for in a circle that may hold enough, so that no large town is read to its end."""
    values, km = {"version": version, **ranking.around(near)}, await _holding_enough(session, filters, near)
    while True:
        circle = _around(near, km, filters.circle)
        conditions = conditions_of(replace(filters, circle=circle), member_id=member_id, now=now)
        found = await _read(session, conditions, values, nearest=True)
        if len(found) == MOST or circle is filters.circle:
            return found
        km *= _growth(len(found))


async def _holding_enough(session: AsyncSession, filters: Filters, near: Point) -> float:
    """How many km may hold enough: by how many things of this side and kind are about, whoever may see them."""
    circle = Circle(centre=near, radius_km=_FIRST_KM)
    sides = ["offer", "need"] if filters.side is None else [filters.side]
    kinds = list(KINDS) if filters.kind is None else [filters.kind]
    statement = _counting(like(circle))
    about = (await session.execute(statement, {**circle.values(), "sides": sides, "kinds": kinds})).scalar_one()
    return _FIRST_KM * _growth(about / _BOX, slowest=_LEAST)


@lru_cache(maxsize=4)
def _counting(circle: Circle) -> sa.Select[int]:
    sides, kinds = (sa.any_(sa.bindparam(name, type_=ARRAY(sa.Text))) for name in ("sides", "kinds"))
    there = sa.select(things.c.cell).where(sa.not_(things.c.gone), things.c.side == sides, things.c.kind == kinds)
    there = there.where(*ranking.in_box(circle, things)).limit(sa.literal_column(str(_MOST_COUNTED)))
    return sa.select(sa.func.count()).select_from(there.subquery())


def _around(near: Point, km: float, whole: Circle | None) -> Circle | None:
    """A circle of that radius; `whole` (None: everywhere) where it would not be smaller, or is far."""
    smaller = km < _LAST_KM if whole is None else km < whole.radius_km
    return Circle(centre=near, radius_km=km) if smaller else whole


def _growth(found: float, slowest: float = _SLOWEST) -> float:
    """How much wider to look where a circle held `found`, so that the next one holds enough and not much more."""
    return min(max(math.sqrt(1.5 * MOST / max(found, 1)), slowest), _FASTEST)


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
    return sa.select(*one.c, results.as_sent(meanings.c.topics)).select_from(one.outerjoin(meanings, known))

"""What there is, without a word that was asked for: the newest, or the nearest.

Where few things pass a filter, they are looked up by it; else all are read in their order until there are enough.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking
from services.matching.conditions import Conditions
from services.matching.domain import Point
from services.matching.queries import labelled, looking, placed, shelved
from services.matching.queries.candidates import SMALL, Candidate
from services.matching.queries.filters import Filters, conditions_of
from services.matching.queries.looking import Source
from services.matching.ranking import Circle
from services.matching.tables import lexemes
from services.matching.terms import TOTAL

MOST, AMONG_MANY = 500, 250
"""Results that are ranked and counted, up to and beyond `candidates.SMALL` things: each is a row to be read."""

_FIRST_KM, _LAST_KM = 3.0, 500.0
_SLOWEST, _FASTEST = 1.3, 4.0
_SPARE = 1.15
"""So many times the things that are wanted are looked for: some are not for everybody."""
_MORE, _MOST_MORE = 1.1, 16.0
_MANY_IN_CIRCLE = 12_000
_SOONER = 10
"""Of so many, or of so many times the square root of all, the newest are sooner met among the newest of all."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who looks, when, by which vectors' categories, and how many results are wanted at the most."""

    member_id: UUID | None
    now: datetime
    version: str
    most: int


async def most(session: AsyncSession) -> int:
    """How many results are wanted at the most, by how many things there are about."""
    total = await session.scalar(sa.select(lexemes.c.documents).where(lexemes.c.lexeme == TOTAL))
    return MOST if (total or 0) <= SMALL else AMONG_MANY


async def newest(session: AsyncSession, filters: Filters, asked: Asked) -> list[Candidate]:
    """The newest of what the member may see."""
    source, values = _source(filters, asked)
    if not source.is_listed:
        source, values = await _unlisted(session, filters, asked), placed.values(filters)
    look = _listed if source.is_listed else _read
    return await look(session, filters, asked, values, source)


async def nearest(session: AsyncSession, filters: Filters, asked: Asked, *, near: Point) -> list[Candidate]:
    """The nearest to a point: looked for in a circle that may hold enough, so that no large town is read to its end."""
    source, values = _source(filters, asked)
    source, values = replace(source, by_distance=True), values | ranking.around(near)
    if source.is_listed:
        return await _listed(session, filters, asked, values, source)
    wanted, km = asked.most * _SPARE, _FIRST_KM
    while True:
        circle = await _holding(session, filters, near, km, round(wanted))
        found = await _read(session, replace(filters, circle=circle), asked, values, source)
        if len(found) == asked.most or circle is filters.circle:
            return found
        wanted *= _more(len(found), asked.most)
        # all may have been at one point: nothing times anything is no wider
        km = max(_FIRST_KM, circle.radius_km if circle is not None else km)


async def _listed(
    session: AsyncSession, filters: Filters, asked: Asked, values: dict[str, Any], source: Source
) -> list[Candidate]:
    """The first that are listed; more of them, as long as there are more, where few pass the other filters."""
    wanted = asked.most * _SPARE
    while True:
        values |= {"wanted": round(wanted)}
        found = await _read(session, filters, asked, values, source)
        if len(found) == asked.most:
            return found
        listed = await session.scalar(looking.counting(source), _given(filters, asked, values, source))
        if (listed or 0) < values["wanted"]:
            return found
        wanted *= _more(len(found), asked.most)


def _more(found: int, most: int) -> float:
    """How many times as many are to be looked at where so few of them passed the filters."""
    return min(max(_MORE * most / max(found, 1), _SLOWEST), _MOST_MORE)


def _source(filters: Filters, asked: Asked) -> tuple[Source, dict[str, Any]]:
    """Where to look: in all things, unless a tag or a category is asked for."""
    if (way := labelled.way(filters)) is not None:
        return Source(most=asked.most, labelled=way), placed.values(filters)
    shelf = shelved.way(filters, anybody=asked.member_id is None) if asked.version else None
    return Source(most=asked.most, shelf=shelf), {} if shelf is None else shelved.values(filters, asked.version)


async def _unlisted(session: AsyncSession, filters: Filters, asked: Asked) -> Source:
    """Where the newest are, of what has no list by its tags or categories."""
    circle = filters.circle
    if circle is None:
        return Source(most=asked.most, in_order=filters.origin is not None)
    given = {**circle.values(), **placed.values(filters), "wanted": _MANY_IN_CIRCLE}
    there = (await session.execute(placed.weighing(placed.within(filters, circle)), given)).one()
    enough = _MANY_IN_CIRCLE if there.total is None else min(_MANY_IN_CIRCLE, _SOONER * math.sqrt(there.total))
    many = there.held >= enough
    if filters.topic is not None:
        return Source(most=asked.most, in_order=many)
    return Source(most=asked.most, placed=placed.within(filters, circle, walk=many))


async def _holding(session: AsyncSession, filters: Filters, near: Point, km: float, wanted: int) -> Circle | None:
    """A circle that holds so many things, whoever may see them; else all that is asked for."""
    while True:
        circle = _around(near, km, filters.circle)
        if circle is None or circle.cells is None:
            return filters.circle
        there = await _held(session, filters, circle, wanted)
        if there.reach is not None:
            return Circle(centre=near, radius_km=there.reach)
        if circle is filters.circle:
            return circle
        km *= _growth(there.held, wanted)


async def _held(session: AsyncSession, filters: Filters, circle: Circle, wanted: int) -> Any:
    """How many things of this side, kind, origin and language lie in a circle, by the index of places alone."""
    counting = placed.counting(placed.within(filters, circle))
    return (await session.execute(counting, {**circle.values(), **placed.values(filters), "wanted": wanted})).one()


def _around(near: Point, km: float, whole: Circle | None) -> Circle | None:
    """A circle of that radius; `whole` (None: everywhere) where it would not be smaller, or is far."""
    smaller = km < _LAST_KM if whole is None else km < whole.radius_km
    return Circle(centre=near, radius_km=km) if smaller else whole


def _growth(held: float, wanted: float) -> float:
    """How much wider to look where a circle held so many, so that the next one holds enough and not much more."""
    return min(max(math.sqrt(1.5 * wanted / max(held, 1)), _SLOWEST), _FASTEST)


async def _read(
    session: AsyncSession, filters: Filters, asked: Asked, values: dict[str, Any], source: Source
) -> list[Candidate]:
    conditions = _conditions(filters, asked, source)
    rows = await looking.statement(conditions, source).rows(session, _given(filters, asked, values, source))
    return [Candidate(row, None) for row in rows]


def _conditions(filters: Filters, asked: Asked, source: Source) -> Conditions:
    return conditions_of(filters, member_id=asked.member_id, now=asked.now, in_order=source.in_order)


def _given(filters: Filters, asked: Asked, values: dict[str, Any], source: Source) -> dict[str, Any]:
    return {**_conditions(filters, asked, source).values, "version": asked.version, **values}

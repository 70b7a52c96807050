"""What there is, without a word that was asked for: the newest, or the nearest.

Where few things pass a filter, they are looked up by it; else all are read in their order until there are enough.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking
from services.matching.domain import Point
from services.matching.queries import looking, required, shelved
from services.matching.queries.candidates import Candidate
from services.matching.queries.filters import Filters, conditions_of, origin_of
from services.matching.queries.looking import MOST, Source
from services.matching.queries.nearest import KINDS, like
from services.matching.ranking import Circle

_FIRST_KM, _LAST_KM = 3.0, 500.0
_SLOWEST, _FASTEST = 1.3, 4.0
_SPARE = 1.15
"""So many times the things that are wanted are looked for: some are not for everybody."""
_MORE, _MOST_MORE = 1.1, 16.0
_TENTH = 10
"""Up to a tenth of all things are read by the index of words: how few of the newest it are is not known before."""
_MANY_IN_CIRCLE = 12_000
"""Of so many the newest are sooner found among the newest of all."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who looks, when, by which vectors' categories."""

    member_id: UUID | None
    now: datetime
    version: str


async def newest(session: AsyncSession, filters: Filters, asked: Asked) -> list[Candidate]:
    """The newest of what the member may see."""
    source, values = await _source(session, filters, asked)
    if source.shelf is not None:
        return await _shelved(session, filters, asked, source, values)
    if source.is_all and filters.circle is not None:
        held = await _held(session, filters, filters.circle, _MANY_IN_CIRCLE)
        source = Source(in_order=held.held == _MANY_IN_CIRCLE)
    elif source.is_all:
        source = Source(in_order=filters.origin is not None)
    return await _read(session, filters, asked, values, source)


async def nearest(session: AsyncSession, filters: Filters, asked: Asked, *, near: Point) -> list[Candidate]:
    """The nearest to a point: looked for in a circle that may hold enough, so that no large town is read to its end."""
    source, values = await _source(session, filters, asked)
    source, values = replace(source, by_distance=True), values | ranking.around(near)
    if source.shelf is not None:
        return await _shelved(session, filters, asked, source, values)
    if not source.is_all:
        return await _read(session, filters, asked, values, source)
    wanted, km = MOST * _SPARE, _FIRST_KM
    while True:
        circle = await _holding(session, filters, near, km, round(wanted))
        found = await _read(session, replace(filters, circle=circle), asked, values, source)
        if len(found) == MOST or circle is filters.circle:
            return found
        wanted *= _more(len(found))
        km = circle.radius_km if circle is not None else km


async def _shelved(
    session: AsyncSession, filters: Filters, asked: Asked, source: Source, values: dict[str, Any]
) -> list[Candidate]:
    """The first of the categories asked for; more of them, as long as that brings more that the member may see."""
    wanted, before = MOST * _SPARE, -1
    while True:
        found = await _read(session, filters, asked, {**values, "wanted": round(wanted)}, source)
        if len(found) in {MOST, before}:
            return found
        wanted, before = wanted * _more(len(found)), len(found)


def _more(found: int) -> float:
    """How many times as many are to be looked at where so few of them passed the filters."""
    return min(max(_MORE * MOST / max(found, 1), _SLOWEST), _MOST_MORE)


async def _source(session: AsyncSession, filters: Filters, asked: Asked) -> tuple[Source, dict[str, Any]]:
    """Where to look: in all things, unless few say what is required, or a category is asked for."""
    said = await required.rarest(session, filters)
    if said is not None and said.things * _TENTH <= said.total:
        return Source(said=True), required.values(said)
    shelf = shelved.way(filters, anybody=asked.member_id is None) if asked.version else None
    return Source(shelf=shelf), {} if shelf is None else shelved.values(filters, asked.version)


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
    values = {
        "sides": ["offer", "need"] if filters.side is None else [filters.side],
        "kinds": list(KINDS) if filters.kind is None else [filters.kind],
        "origin": origin_of(filters.origin),
        "spoken": filters.spoken,
        "wanted": wanted,
    }
    counting = looking.counting(like(circle), origin=filters.origin is not None, spoken=filters.spoken is not None)
    return (await session.execute(counting, {**circle.values(), **values})).one()


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
    conditions = conditions_of(filters, member_id=asked.member_id, now=asked.now, in_order=source.in_order)
    given = {**conditions.values, "version": asked.version, **values}
    rows = await session.execute(looking.statement(conditions, source), given)
    return [Candidate(row, None) for row in rows.mappings()]

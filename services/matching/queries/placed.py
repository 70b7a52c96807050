"""The newest of what lies in a circle: found in indexes alone, before any whole row is read.

Where few lie in it, its cells say which they are; where many do, they are soon met among the newest of all.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from contracts.catalog import Side
from services.matching import ranking
from services.matching.conditions import Condition
from services.matching.domain import Point
from services.matching.queries.filters import Filters, origin_of
from services.matching.queries.nearest import KINDS, like
from services.matching.ranking import Circle
from services.matching.tables import lexemes, things
from services.matching.terms import TOTAL

WANTED = sa.bindparam("wanted", type_=sa.BigInteger)
_SIDES: tuple[Side, ...] = ("offer", "need")
_ANY = sa.bindparam("sides", type_=ARRAY(sa.Text))


def values(filters: Filters) -> dict[str, Any]:
    """What these statements are to be given, beside how many are wanted and the circle."""
    return {
        "sides": list(_SIDES) if filters.side is None else [filters.side],
        "kinds": list(KINDS) if filters.kind is None else [filters.kind],
        "origin": origin_of(filters.origin),
        "spoken": filters.spoken,
    }


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What makes one statement differ from another, beside its values. `walk`: met among the newest of all."""

    circle: Circle
    origin: bool
    spoken: bool
    walk: bool = False


def within(filters: Filters, circle: Circle, *, walk: bool = False) -> Placed:
    """How to look in a circle for what passes the filters."""
    return Placed(circle=like(circle), origin=filters.origin is not None, spoken=filters.spoken is not None, walk=walk)


@lru_cache(maxsize=16)
def counting(where: Placed) -> sa.Select[*tuple[Any, ...]]:
    """How many things lie there, up to those that are wanted; if so many do, how far the last one is."""
    km = ranking.kilometres(Point(latitude=0.0, longitude=0.0)).label("km")
    there = sa.select(km).where(things.c.side == sa.any_(_ANY), *_passing(where), ranking.within(where.circle))
    inside = (there if where.circle.cells is None else there.order_by(km)).limit(WANTED).subquery("inside")
    held = sa.func.count()
    reach = sa.case((held >= WANTED, sa.func.max(inside.c.km)), else_=None)
    return sa.select(held.label("held"), reach.label("reach")).select_from(inside)


@lru_cache(maxsize=16)
def weighing(where: Placed) -> sa.Select[*tuple[Any, ...]]:
    """About how many things lie there, up to those that are wanted (`held`), and how many there are (`total`)."""
    there = sa.select(sa.literal_column("1")).where(things.c.side == sa.any_(_ANY), *_passing(where))
    inside = there.where(*ranking.in_box(where.circle, things)).limit(WANTED).subquery("inside")
    total = sa.select(lexemes.c.documents).where(lexemes.c.lexeme == TOTAL).scalar_subquery()
    return sa.select(sa.func.count().label("held"), total.label("total")).select_from(inside)


def keys(where: Placed) -> sa.Select[Any, Any]:
    """The newest there, whoever may see them."""
    return _met(where) if where.walk else _listed(where)


def _passing(where: Placed) -> list[Condition]:
    """What the indexes of places and of dates know of a thing, beside its side and place."""
    found: list[Condition] = [sa.not_(things.c.gone)]
    found.append(things.c.kind == sa.any_(sa.bindparam("kinds", type_=ARRAY(sa.Text))))
    if where.origin:
        found.append(things.c.origin == sa.bindparam("origin", type_=sa.Text))
    if where.spoken:
        found.append(things.c.language == sa.bindparam("spoken", type_=sa.Text))
    return found


def _listed(where: Placed) -> sa.Select[Any, Any]:
    there = sa.select(things.c.origin, things.c.id, things.c.changed_at)
    there = there.where(things.c.side == sa.any_(_ANY), *_passing(where), ranking.within(where.circle))
    # all of them first: PostgreSQL would else look for them among the newest of all
    fenced = there.offset(sa.literal_column("0")).subquery("there")
    return sa.select(fenced.c.origin, fenced.c.id).order_by(*ranking.first(fenced)).limit(WANTED)


def _met(where: Placed) -> sa.Select[Any, Any]:
    there = sa.case((ranking.within(where.circle), sa.true()), else_=sa.false())
    found: list[Any] = []
    for side in _SIDES:
        asked = sa.literal(side).op("=")(sa.any_(_ANY))
        one = sa.select(things.c.origin, things.c.id, things.c.changed_at)
        one = one.where(things.c.side == sa.literal_column(f"'{side}'"), asked, *_passing(where), there)
        found.append(sa.select(one.order_by(*ranking.first(things)).limit(WANTED).subquery(f"newest_{side}")))
    both = sa.union_all(*found).subquery("both")
    return sa.select(both.c.origin, both.c.id).order_by(*ranking.first(both)).limit(WANTED)

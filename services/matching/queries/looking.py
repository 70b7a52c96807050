"""The statements of browsing: the newest or nearest of what passes the filters, each with one good plan."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.matching import ranking
from services.matching.conditions import Condition, Conditions
from services.matching.domain import Point
from services.matching.queries import required, results, shelved
from services.matching.queries.nearest import Narrowed
from services.matching.ranking import Circle
from services.matching.tables import meanings, things

MOST = 500
"""Results that are ranked and counted."""

_WANTED = sa.bindparam("wanted", type_=sa.BigInteger)
_ONE = sa.literal_column("1")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which things are looked at, one by one.

    `said`: those that say what is required; `shelf`: those of some categories; else whatever an index of the filters
    brings; `in_order`: the newest of all. `by_distance`: the nearest are wanted, not the newest.
    """

    said: bool = False
    shelf: Narrowed | None = None
    in_order: bool = False
    by_distance: bool = False

    @property
    def is_all(self) -> bool:
        """Whether nothing narrows it."""
        return not self.said and self.shelf is None


@lru_cache(maxsize=16)
def counting(circle: Circle, *, origin: bool, spoken: bool) -> sa.Select[*tuple[Any, ...]]:
    """How many things lie in a circle, up to those that are wanted; if so many do, how far the last of them is."""
    sides, kinds = (sa.any_(sa.bindparam(name, type_=ARRAY(sa.Text))) for name in ("sides", "kinds"))
    km = ranking.kilometres(Point(latitude=0.0, longitude=0.0)).label("km")
    there = sa.select(km).where(sa.not_(things.c.gone), things.c.side == sides, things.c.kind == kinds)
    if origin:
        there = there.where(things.c.origin == sa.bindparam("origin", type_=sa.Text))
    if spoken:
        there = there.where(things.c.language == sa.bindparam("spoken", type_=sa.Text))
    inside = there.where(ranking.within(circle))
    inside = (inside.order_by(km) if circle.cells is not None else inside).limit(_WANTED).subquery("inside")
    held = sa.func.count()
    reach = sa.case((held >= _WANTED, sa.func.max(inside.c.km)), else_=None)
    return sa.select(held.label("held"), reach.label("reach")).select_from(inside)


@lru_cache(maxsize=512)
def statement(conditions: Conditions, source: Source) -> sa.Select[*tuple[Any, ...]]:
    """The first of them, with what ranking needs."""
    found = _found(conditions, source)
    one = found.limit(sa.literal_column(str(MOST))).subquery("one")
    same = sa.and_(meanings.c.origin == one.c.origin, meanings.c.id == one.c.id)
    known = sa.and_(same, meanings.c.model == sa.bindparam("version", type_=sa.Text))
    chosen = [column for column in one.c if column.name != "km"]
    return sa.select(*chosen, results.as_sent(meanings.c.topics)).select_from(one.outerjoin(meanings, known))


def _found(conditions: Conditions, source: Source) -> sa.Select[*tuple[Any, ...]]:
    columns: list[Any] = [*results.LIGHT, sa.literal_column("0.0", sa.Double).label("coverage")]
    if source.by_distance:
        columns.append(ranking.kilometres(Point(latitude=0.0, longitude=0.0)).label("km"))
    found: sa.Select[*tuple[Any, ...]] = sa.select(*columns).where(*conditions.clauses)
    among, same = _among(source)
    if among is None:
        return found.order_by(*_order(found.selected_columns, source))
    thing = found.where(same).limit(_ONE).lateral("thing")
    return sa.select(*thing.c).select_from(among.join(thing, sa.true())).order_by(*_order(thing.c, source))


def _order(columns: Any, source: Source) -> list[Any]:
    by_age = [columns.changed_at.desc(), columns.id.desc(), columns.origin]
    return [columns.km.asc().nulls_last(), *by_age] if source.by_distance else by_age


def _among(source: Source) -> tuple[sa.Subquery | None, Condition]:
    """What is looked at, and how a thing is known as one of them; None: PostgreSQL chooses."""
    if source.shelf is not None:
        among = shelved.keys(source.shelf, by_distance=source.by_distance).subquery("among")
        return among, sa.and_(things.c.origin == among.c.origin, things.c.id == among.c.id)
    if not source.said:
        return None, sa.true()
    among = required.places().subquery("among")
    return among, among.c.place == ranking.PLACE

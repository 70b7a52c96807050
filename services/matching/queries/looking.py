"""The statements of browsing: the newest or nearest of what passes the filters, each with one good plan."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from services.matching import ranking
from services.matching.conditions import Conditions
from services.matching.domain import Point
from services.matching.queries import labelled, placed, results, shelved
from services.matching.queries.kept import Kept, kept
from services.matching.queries.labelled import Labelled
from services.matching.queries.nearest import Narrowed
from services.matching.queries.placed import Placed
from services.matching.tables import meanings, things

_ONE = sa.literal_column("1")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which things are looked at, one by one.

    `labelled`: those with a tag or category of their authors; `shelf`: those that are about something; `placed`: the
    newest in a circle; else whatever an index of the filters brings; `in_order`: the newest of all. `by_distance`: the
    nearest are wanted, not the newest. `most`: so many results, which are ranked and counted.
    """

    most: int

    labelled: Labelled | None = None
    shelf: Narrowed | None = None
    placed: Placed | None = None
    in_order: bool = False
    by_distance: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether as many are looked at as are wanted: some may then not pass the filters."""
        return (self.labelled, self.shelf, self.placed) != (None, None, None)


@lru_cache(maxsize=128)
def statement(conditions: Conditions, source: Source) -> Kept:
    """The first of them, with what ranking needs."""
    found = _found(conditions, source)
    one = found.limit(sa.literal_column(str(source.most))).subquery("one")
    same = sa.and_(meanings.c.origin == one.c.origin, meanings.c.id == one.c.id)
    known = sa.and_(same, meanings.c.model == sa.bindparam("version", type_=sa.Text))
    chosen = [column for column in one.c if column.name != "km"]
    return kept(sa.select(*chosen, results.as_sent(meanings.c.topics)).select_from(one.outerjoin(meanings, known)))


@lru_cache(maxsize=64)
def counting(source: Source) -> sa.Select[int]:
    """How many are listed, up to those that are wanted. For a source that is."""
    among = _among(source)
    return sa.select(sa.func.count()).select_from(things if among is None else among)


def _found(conditions: Conditions, source: Source) -> sa.Select[*tuple[Any, ...]]:
    columns: list[Any] = [*results.LIGHT, sa.literal_column("0.0", sa.Double).label("coverage")]
    if source.by_distance:
        columns.append(ranking.kilometres(Point(latitude=0.0, longitude=0.0)).label("km"))
    found: sa.Select[*tuple[Any, ...]] = sa.select(*columns).where(*conditions.clauses)
    among = _among(source)
    if among is None:
        return found.order_by(*_order(found.selected_columns, source))
    same = sa.and_(things.c.origin == among.c.origin, things.c.id == among.c.id)
    thing = found.where(same).limit(_ONE).lateral("thing")
    return sa.select(*thing.c).select_from(among.join(thing, sa.true())).order_by(*_order(thing.c, source))


def _order(columns: Any, source: Source) -> list[Any]:
    by_age = [columns.changed_at.desc(), columns.id.desc(), columns.origin]
    return [columns.km.asc().nulls_last(), *by_age] if source.by_distance else by_age


def _among(source: Source) -> sa.Subquery | None:
    """The keys of what is looked at; None: PostgreSQL chooses."""
    if source.labelled is not None:
        return labelled.keys(source.labelled, by_distance=source.by_distance).subquery("among")
    if source.shelf is not None:
        return shelved.keys(source.shelf, by_distance=source.by_distance).subquery("among")
    return None if source.placed is None else placed.keys(source.placed).subquery("among")

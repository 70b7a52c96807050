"""The nearest in meaning among what passes the filters: read from one index that holds all that is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT

from contracts.catalog import Kind
from services.matching import audience, ranking, shelves
from services.matching.conditions import Condition, Conditions
from services.matching.domain import Point
from services.matching.ranking import Circle
from services.matching.tables import meanings, things

KINDS: tuple[str, ...] = get_args(Kind)

ASKED = "kinds"
"""The name of the value with the one kind that is asked for; other names stand for kinds that are looked at first."""

OTHERS = "other_kinds"
"""The name of the value with the kinds beside the likely one, in pairs: some kinds, and their categories."""

MOST, FEWER = (sa.bindparam(name, type_=sa.BigInteger) for name in ("most", "fewer"))
"""How many are taken: fewer of other kinds than the likely one, which hardly one is ranked behind."""


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """Which filters there are. `kinds`, `topics`: the names of the values that hold them (`OTHERS`: both)."""

    kinds: str | None
    circle: Circle | None
    spoken: bool
    origin: bool
    public: bool
    topics: str | None

    def with_topics(self, name: str, *, kinds: str | None = None) -> "Narrowed":
        """The same, of some categories only, and of other kinds."""
        return replace(self, topics=name, kinds=kinds or self.kinds)

    @property
    def closed(self) -> "Narrowed":
        """The same for what is for circles: few, so that only the categories asked for narrow it."""
        return replace(self, topics="topics" if self.topics == "topics" else None)

    def standing(self, *, is_open: bool) -> str:
        """The name of the parameter with the numbers of shelves or aisles."""
        return "_".join(["open" if is_open else "closed", self.kinds or "all", self.topics or "any"])


_SHAPES = [
    Circle(centre=Point(latitude=latitude, longitude=longitude), radius_km=km)
    for latitude, longitude, km in ((0.0, 0.0, 10.0), (0.0, 0.0, 1000.0), (90.0, 0.0, 100.0), (0.0, 180.0, 10.0))
]
"""Near, far, around a pole, across the date line."""


def like(circle: Circle) -> Circle:
    """One circle for all of the same shape."""
    return next(one for one in _SHAPES if one.shape == circle.shape)


def of(conditions: Conditions, ways: Sequence[Narrowed]) -> list[sa.Select[Any, Any]]:
    """One look for each of `ways` at what is open, and one at what is for circles."""
    open_ones = [_nearest(way).where(*_filters(way, is_open=True)) for way in ways]
    return [sa.select(one.subquery()) for one in (*open_ones, *closed(conditions, ways))]


def closed(conditions: Conditions, ways: Sequence[Narrowed]) -> list[sa.Select[Any, Any]]:
    """The look at what is for circles."""
    if not ways or ways[0].public:
        return []
    way = ways[0].closed
    return [_of_circles(conditions, way) if conditions.member is None else _for_member(conditions, way)]


def standing(ways: Sequence[Narrowed], version: str, values: Mapping[str, Any]) -> dict[str, list[int]]:
    """The numbers of the shelves or aisles of each way: open ones, and those of the first for circles."""

    def numbers(way: Narrowed, *, is_open: bool) -> list[int]:
        kinds: Sequence[str] = KINDS if way.kinds is None else values[way.kinds]
        topics: Sequence[str] | None = None if way.topics is None else values[way.topics]
        pairs: Any = values[OTHERS] if way.kinds == OTHERS else [(kinds, topics)]
        return [one for each in pairs for one in shelves.numbers(version, values["sides"], *each, is_open=is_open)]

    found = {way.standing(is_open=True): numbers(way, is_open=True) for way in ways}
    return found | {way.closed.standing(is_open=False): numbers(way.closed, is_open=False) for way in ways[:1]}


def _nearest(way: Narrowed) -> sa.Select[Any, Any]:
    nearest = sa.select(meanings.c.origin, meanings.c.id).order_by(apart(), meanings.c.id)
    return nearest.limit(FEWER if way.kinds == OTHERS else MOST)


def apart(table: sa.Table = meanings) -> sa.ColumnElement[int]:
    """In how many signs the vector of a row of `table` is unlike the one that is asked for."""
    signs = sa.select(sa.cast(sa.bindparam("signs", type_=sa.Text), BIT(384))).scalar_subquery()
    return sa.func.bit_count(table.c.bits.op("#")(signs))


def _for_member(conditions: Conditions, way: Narrowed) -> sa.Select[Any, Any]:
    """Things for circles that the member may see: fewer than all that are for circles.

    Their index knows where they are and of what kind, as it reads one by one what is left.
    """
    member: sa.BindParameter[UUID] = sa.bindparam(conditions.member, type_=sa.Uuid)
    said = sa.select(ranking.PLACE.label("place")).where(audience.closed_for(member))
    if way.circle is not None and way.circle.cells is not None:
        said = said.where(ranking.IN_CELLS)
    if way.kinds == ASKED:
        said = said.where(ranking.OF_KIND)
    return _among(conditions, said.offset(sa.literal_column("0")))


def among(conditions: Conditions, places: sa.Select[Any]) -> list[sa.Select[Any, Any]]:
    """The nearest of the few things that lie there and pass the filters."""
    return [sa.select(_among(conditions, places).subquery())]


def _among(conditions: Conditions, places: sa.Select[Any]) -> sa.Select[Any, Any]:
    fenced = places.subquery("places")
    same = fenced.c.place == ranking.PLACE
    seen = sa.select(things.c.origin, things.c.id).where(same, *conditions.clauses).limit(1).lateral("seen")
    same = sa.and_(meanings.c.origin == seen.c.origin, meanings.c.id == seen.c.id)
    known = sa.and_(same, meanings.c.model == sa.bindparam("version", type_=sa.Text))
    one = sa.select(meanings.c.origin, meanings.c.id, apart().label("apart")).where(known).limit(1).lateral("one")
    chosen = sa.select(one.c.origin, one.c.id).select_from(fenced.join(seen, sa.true()).join(one, sa.true()))
    return chosen.order_by(one.c.apart, one.c.id).limit(MOST)


def _of_circles(conditions: Conditions, way: Narrowed) -> sa.Select[Any, Any]:
    """Things for circles, whoever may see them: what else must hold is checked before anything is compared."""
    far = apart().label("apart")
    looked_at = sa.select(meanings.c.origin, meanings.c.id, far).where(*_filters(way, is_open=False))
    # one by one: PostgreSQL would else begin with all things in the circle, as it does not know how few are closed
    fenced = looked_at.offset(sa.literal_column("0")).subquery("closed")
    same = sa.and_(things.c.origin == fenced.c.origin, things.c.id == fenced.c.id)
    seen = sa.select(things.c.id).where(same, *conditions.clauses).limit(1).lateral("seen")
    chosen = sa.select(fenced.c.origin, fenced.c.id).select_from(fenced.join(seen, sa.true()))
    return chosen.order_by(fenced.c.apart, fenced.c.id).limit(MOST)


def _filters(way: Narrowed, *, is_open: bool) -> list[Condition]:
    column = meanings.c.aisle if way.topics is None else meanings.c.shelf
    return [column == sa.any_(sa.bindparam(way.standing(is_open=is_open), type_=ARRAY(sa.Integer))), *passing(way)]


def passing(way: Narrowed) -> list[Condition]:
    """What the index of vectors knows of a thing, beside where it stands."""
    found = valid(meanings)
    if way.circle is not None:
        found += ranking.in_box(way.circle, meanings)
    if way.spoken:
        found.append(meanings.c.language == sa.bindparam("spoken", type_=sa.Text))
    if way.origin:
        found.append(meanings.c.origin == sa.bindparam("origin", type_=sa.Text))
    return [*found, *([meanings.c.public] if way.public else [])]


def valid(table: sa.Table) -> list[Condition]:
    """Rows of `table` whose thing may be shown now, as far as its dates go."""
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    begun = sa.or_(table.c.valid_from.is_(None), table.c.valid_from <= now)
    return [begun, sa.or_(table.c.valid_until.is_(None), table.c.valid_until > now)]

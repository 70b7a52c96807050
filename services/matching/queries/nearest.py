"""The nearest in meaning among what passes the filters: read from one index that holds all that is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT

from services.matching import ranking
from services.matching.conditions import Condition, Conditions
from services.matching.domain import Point
from services.matching.ranking import Circle
from services.matching.tables import meanings, things

BY_MEANING = 200


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """Which filters there are. `kind`, `topics`: the names of the parameters that hold them."""

    kind: str | None
    circle: Circle | None
    spoken: bool
    origin: bool
    public: bool
    topics: str | None

    def with_topics(self, name: str, *, kind: str | None = None) -> "Narrowed":
        """The same, of some categories only, and of another kind."""
        return replace(self, topics=name, kind=kind or self.kind)


_POLAR, _FAR, _NEAR = (
    Circle(centre=Point(latitude=latitude, longitude=0.0), radius_km=km)
    for latitude, km in ((90.0, 100.0), (0.0, 1000.0), (0.0, 10.0))
)


def like(circle: Circle) -> Circle:
    """One circle for all of the same shape."""
    return next(one for one in (_NEAR, _FAR, _POLAR, circle) if one.shape == circle.shape)


def of(conditions: Conditions, ways: Sequence[Narrowed]) -> list[sa.Select[Any, Any]]:
    """One look for each of `ways` at what is open, and one at what is for circles."""
    open_ones = [_nearest().where(meanings.c.open, *_filters(way)) for way in ways]
    closed = [] if not ways or ways[0].public else [_of_circles(conditions, ways[0])]
    return [sa.select(one.subquery()) for one in (*open_ones, *closed)]


def _nearest() -> sa.Select[Any, Any]:
    signs = sa.select(sa.cast(sa.bindparam("signs", type_=sa.Text), BIT(384))).scalar_subquery()
    apart = sa.func.bit_count(meanings.c.bits.op("#")(signs))
    chosen = sa.select(meanings.c.origin, meanings.c.id)
    return chosen.order_by(apart).limit(sa.literal_column(str(BY_MEANING)))


def _of_circles(conditions: Conditions, way: Narrowed) -> sa.Select[Any, Any]:
    """Things for circles: few may see them, so who looks is checked before anything is compared."""
    way = replace(way, topics="topics" if way.topics == "topics" else None)
    same = sa.and_(meanings.c.origin == things.c.origin, meanings.c.id == things.c.id)
    chosen = _nearest().select_from(meanings.join(things, same))
    return chosen.where(sa.not_(meanings.c.open), *_filters(way), *conditions.clauses)


def _filters(way: Narrowed) -> list[Condition]:
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    found: list[Condition] = [
        meanings.c.model == sa.bindparam("version", type_=sa.Text),
        meanings.c.side == sa.any_(sa.bindparam("sides", type_=ARRAY(sa.Text))),
        sa.or_(meanings.c.valid_from.is_(None), meanings.c.valid_from <= now),
        sa.or_(meanings.c.valid_until.is_(None), meanings.c.valid_until > now),
    ]
    if way.topics is not None:
        found.append(meanings.c.topic == sa.any_(sa.bindparam(way.topics, type_=ARRAY(sa.Text))))
    if way.kind is not None:
        found.append(meanings.c.kind == sa.bindparam(way.kind, type_=sa.Text))
    if way.circle is not None:
        found += ranking.in_box(way.circle, meanings)
    if way.spoken:
        found.append(meanings.c.language == sa.bindparam("spoken", type_=sa.Text))
    if way.origin:
        found.append(meanings.c.origin == sa.bindparam("origin", type_=sa.Text))
    return [*found, *([meanings.c.public] if way.public else [])]

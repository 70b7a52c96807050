"""The newest or nearest of some categories, from the index of vectors, which holds what such filters ask for."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.matching import ranking, shelves
from services.matching.queries import nearest
from services.matching.queries.filters import Filters, topics_of
from services.matching.queries.nearest import KINDS, Narrowed
from services.matching.tables import meanings

_FEW = 3
"""Of more categories, the newest are soon found among all things."""


def way(filters: Filters, *, anybody: bool) -> Narrowed | None:
    """How to look there; None where it is not worth it."""
    topics, circle = topics_of(filters.topic), filters.circle
    if topics is None or (len(topics) > _FEW and (circle is None or circle.cells is None)):
        return None
    return Narrowed(
        kinds=None,
        circle=None if circle is None else nearest.like(circle),
        spoken=filters.spoken is not None,
        origin=filters.origin is not None,
        public=anybody,
        topics="topics",
    )


def values(filters: Filters, version: str) -> dict[str, Any]:
    """What `keys` is to be given, beside how many are wanted."""
    sides = ["offer", "need"] if filters.side is None else [filters.side]
    kinds = KINDS if filters.kind is None else [filters.kind]
    topics = topics_of(filters.topic)
    both = [shelves.numbers(version, sides, kinds, topics, is_open=is_open) for is_open in (True, False)]
    return {"shelves": [number for numbers in both for number in numbers]}


def keys(narrowed: Narrowed, *, by_distance: bool) -> sa.Select[Any, Any]:
    """The first of them, whoever may see them."""
    shelf = meanings.c.shelf == sa.any_(sa.bindparam("shelves", type_=ARRAY(sa.Integer)))
    chosen = sa.select(meanings.c.origin, meanings.c.id).where(shelf, *nearest.passing(narrowed))
    chosen = chosen.order_by(*ranking.first(meanings, by_distance=by_distance))
    return chosen.limit(sa.bindparam("wanted", type_=sa.BigInteger))

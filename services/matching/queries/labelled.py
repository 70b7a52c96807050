"""The newest, nearest or most alike of what has a tag or a category, from the index of labels alone."""

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.matching import ranking
from services.matching.conditions import Condition
from services.matching.queries import nearest
from services.matching.queries.filters import Filters, label
from services.matching.ranking import Circle
from services.matching.tables import labels

MOST = 60_000
"""Of a label that more things may have not all are compared: those of the nearest categories, as without it."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What makes one statement differ from another, beside its values.

    `what`: the filter that is looked up. `public`: nothing else.
    """

    what: Literal["tag", "category"]
    circle: Circle | None
    origin: bool
    spoken: bool
    public: bool = False


def way(filters: Filters, *, public: bool = False) -> Labelled | None:
    """How to look; None where neither a tag nor a category is asked for."""
    if filters.tag is None and filters.category is None:
        return None
    return Labelled(
        what="category" if filters.tag is None else "tag",
        circle=None if filters.circle is None else nearest.like(filters.circle),
        origin=filters.origin is not None,
        spoken=filters.spoken is not None,
        public=public,
    )


def keys(where: Labelled, *, by_distance: bool) -> sa.Select[Any, Any]:
    """The first of them, whoever may see them."""
    chosen = sa.select(labels.c.origin, labels.c.id).where(*_passing(where))
    chosen = chosen.order_by(*ranking.first(labels, by_distance=by_distance))
    return chosen.limit(sa.bindparam("wanted", type_=sa.BigInteger))


def alike(where: Labelled) -> sa.Select[Any, Any]:
    """The nearest in meaning of them that are not only for circles."""
    near = [labels.c.open, *([labels.c.public] if where.public else []), *nearest.valid(labels)]
    near.append(labels.c.model == sa.bindparam("version", type_=sa.Text))
    chosen = sa.select(labels.c.origin, labels.c.id).where(*_passing(where), *near)
    return chosen.order_by(nearest.apart(labels), labels.c.id).limit(nearest.MOST)


def _passing(where: Labelled) -> list[Condition]:
    found: list[Condition] = [labels.c.label == label(where.what), labels.c.what == where.what]
    for column, name in ((labels.c.side, "sides"), (labels.c.kind, "kinds")):
        found.append(column == sa.any_(sa.bindparam(name, type_=ARRAY(sa.Text))))
    if where.origin:
        found.append(labels.c.origin == sa.bindparam("origin", type_=sa.Text))
    if where.spoken:
        found.append(labels.c.language == sa.bindparam("spoken", type_=sa.Text))
    return [*found, *([ranking.within(where.circle, labels)] if where.circle is not None else [])]

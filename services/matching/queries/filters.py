"""The hard filters of a search, made once for each shape of one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.matching import audience, ranking, taxonomy
from services.matching.conditions import Condition, Conditions
from services.matching.queries.nearest import like
from services.matching.ranking import Circle
from services.matching.tables import OURS, labels, meanings, things
from services.matching.words import Query


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a search leaves out; None leaves it open.

    `origin`: "ours" or a peer's id. `topic`: a code of the taxonomy, of a group or of a leaf.
    """

    query: Query
    side: Side | None = None
    kind: Kind | None = None
    category: str | None = None
    topic: str | None = None
    tag: str | None = None
    origin: str | None = None
    spoken: Locale | None = None
    circle: Circle | None = None

    @property
    def ask_for_more_than_a_label(self) -> bool:
        """Whether something that the index of labels does not know is asked for beside a tag or a category."""
        both = self.tag is not None and self.category is not None
        return both or self.topic is not None or bool(self.query.phrases or self.query.without)


@dataclass(frozen=True)
class _Shape:
    anybody: bool
    named: tuple[str, ...]
    circle: Circle | None
    in_order: bool
    phrases: int
    without: int


def conditions_of(filters: Filters, *, member_id: UUID | None, now: datetime, in_order: bool = False) -> Conditions:
    """What the member (None: anybody) may see of what passes the filters.

    `in_order`: neither the circle nor the side is to be looked up by an index: the newest of all, or of a peer, are
    soon enough.
    """
    query = filters.query
    shape = _Shape(
        anybody=member_id is None,
        named=tuple(name for name in _FILTERS if getattr(filters, name) is not None),
        circle=None if filters.circle is None else like(filters.circle),
        in_order=in_order,
        phrases=len(query.phrases),
        without=len(query.without),
    )
    values: dict[str, Any] = {
        "member_id": member_id,
        "now": now,
        "side": filters.side,
        "kind": filters.kind,
        "category": filters.category,
        "tag": filters.tag,
        "topics": topics_of(filters.topic),
        "origin": origin_of(filters.origin),
        "spoken": filters.spoken,
        **(filters.circle.values() if filters.circle is not None else {}),
        **{f"phrase_{number}": phrase for number, phrase in enumerate(query.phrases)},
        **{f"without_{number}": word for number, word in enumerate(query.without)},
    }
    # who may see what is asked for anew each time: the tests take it away to see what then leaks
    key = (shape, audience.visible_to)
    member = None if member_id is None else "member_id"
    return Conditions(clauses=_clauses(*key), key=key, values=values, member=member)


def topics_of(topic: str | None) -> list[str] | None:
    """The codes of a category, or of those of a group."""
    if topic is None:
        return None
    return [one.code for one in taxonomy.leaves() if topic in (one.code, one.group)]


def origin_of(origin: str | None) -> str | None:
    """Where things come from, as the tables say it."""
    return OURS if origin == "ours" else origin


@lru_cache(maxsize=256)
def _clauses(shape: _Shape, visible_to: Callable[..., Condition]) -> tuple[Condition, ...]:
    member = None if shape.anybody else sa.bindparam("member_id", type_=sa.Uuid)
    found = [visible_to(member, sa.bindparam("now", type_=sa.DateTime(timezone=True)))]
    found += [_FILTERS[name]() for name in shape.named if not shape.in_order or name != "side"]
    found += [_unread(_FILTERS["side"]())] if shape.in_order and "side" in shape.named else []
    if shape.circle is not None:
        there = ranking.within(shape.circle)
        found.append(_unread(there) if shape.in_order else there)
    found += [ranking.says(_text(f"phrase_{number}")) for number in range(shape.phrases)]
    return *found, *(sa.not_(ranking.says(_text(f"without_{number}"))) for number in range(shape.without))


def _unread(condition: Condition) -> Condition:
    """The same, by which no index is read."""
    return sa.case((condition, sa.true()), else_=sa.false())


def _text(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text)


def label(name: str) -> Any:
    """A tag or category that is asked for, as it is kept; once for all things."""
    return sa.select(sa.func.lower(sa.func.unaccent(sa.func.btrim(_text(name))))).scalar_subquery()


def _about_topic() -> Condition:
    near = meanings.alias("near")
    same = sa.and_(near.c.origin == things.c.origin, near.c.id == things.c.id)
    return sa.exists(sa.select(near.c.id).where(same, near.c.topic == sa.any_(sa.bindparam("topics", type_=_TEXTS))))


def _labelled(what: str) -> Condition:
    """Things with this tag or in this category, whatever its case and accents."""
    of_thing = sa.and_(labels.c.origin == things.c.origin, labels.c.id == things.c.id)
    same = sa.and_(labels.c.what == sa.literal_column(f"'{what}'"), labels.c.label == label(what))
    return sa.exists(sa.select(labels.c.id).where(of_thing, same))


_TEXTS = ARRAY(sa.Text)
_FILTERS: dict[str, Callable[[], Condition]] = {
    "side": lambda: things.c.side == _text("side"),
    "kind": lambda: things.c.kind == _text("kind"),
    "spoken": lambda: things.c.language == _text("spoken"),
    "category": lambda: _labelled("category"),
    "topic": _about_topic,
    "tag": lambda: _labelled("tag"),
    "origin": lambda: things.c.origin == _text("origin"),
}

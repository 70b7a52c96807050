"""What may be meant: found by words and by meaning under the hard filters, with the figures that rank it.

The filters come first, always. By words: things that have the rarer ones. By meaning: the nearest of those that pass
the filters of the vectors' index (or of that of labels), exactly compared; there is no approximate index that could
lose some.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import meaning, ranking, taxonomy
from services.matching.conditions import Conditions
from services.matching.domain import NEAR_TO_ALL
from services.matching.meaning import Vector, similarities
from services.matching.queries import labelled, nearest, required, results
from services.matching.queries.kept import Kept, kept
from services.matching.queries.labelled import Labelled
from services.matching.queries.nearest import Narrowed
from services.matching.queries.required import Required
from services.matching.ranking import Circle
from services.matching.relevance import relevance
from services.matching.tables import meanings, things
from services.matching.terms import Terms

BY_WORDS = 200
"""Of the things that are found by words, and of those by meaning, so many are ranked."""

AMONG_MANY = 100
"""So many among more than `SMALL` things, unless free days are asked for: those that are taken go only afterwards."""

FOR_A_NEED = 80
"""The same for a need, whose first ten matches and five near misses are shown."""

SMALL = 20_000
"""Up to so many things all are compared; beyond, those of the nearest categories, unless kind and place leave few."""

_FEW_TOPICS, _SOME_TOPICS, _MANY_TOPICS = 3, 6, 12
"""How many of the nearest categories are looked at among very many things: the fewer, the wider the other filters."""

_TOPICS_BESIDE = 2
"""The same for all other kinds than equipment, where it is equipment that is likely."""

_ALL_TOPICS = len(taxonomy.leaves())


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for. `conditions`: hard filters on `things`, visibility among them; nothing else gets through.

    `version`: of the vectors that count. `total`: about how many things there are. `likely_kind`: the one that is
    looked at first among very many. The rest repeats conditions for the index of vectors (None, False: none such):
    `side`, `kind`, `spoken`, `origin`, `topics`, `circle`; `public`: nothing else. `only`: that thing (origin, id).
    `many`: not all that are found will fit. `required`: what must be said by few of those that are meant. `labelled`:
    the tag or category that they must have.
    """

    conditions: Conditions
    now: datetime
    terms: Terms
    vector: Vector | None
    version: str
    total: int
    side: str | None
    kind: str | None = None
    likely_kind: str | None = None
    spoken: str | None = None
    origin: str | None = None
    topics: Sequence[str] | None = None
    circle: Circle | None = None
    public: bool = False
    only: tuple[str, Any] | None = None
    many: bool = False
    required: Required | None = None
    labelled: Labelled | None = None

    @property
    def most(self) -> int:
        """How many are looked at, found by words and found by meaning."""
        if self.many or self.total <= SMALL:
            return BY_WORDS
        return AMONG_MANY if self.likely_kind is None else FOR_A_NEED


@dataclass(frozen=True)
class Candidate:
    """A thing's light columns, and how near it is in words (`coverage`) and meaning (None: not known), both to 1."""

    row: sa.RowMapping
    meaning: float | None

    @property
    def key(self) -> tuple[str, Any]:
        return self.row["origin"], self.row["id"]

    @property
    def coverage(self) -> float:
        return float(self.row["coverage"])

    @property
    def relevance(self) -> float:
        return relevance(self.coverage, self.meaning)


async def candidates(session: AsyncSession, wanted: Wanted) -> list[Candidate]:
    """The things that may be most relevant, in no order: several hundred at the most."""
    if not wanted.terms.terms and wanted.vector is None and wanted.only is None:
        return []
    shape = _shape(wanted)
    build = _kept_statement.__wrapped__ if wanted.conditions.key is None else _kept_statement
    rows = await build(wanted.conditions, shape).rows(session, _values(wanted, shape.ways))
    near: Sequence[float | None] = [None] * len(rows)
    if wanted.vector is not None:
        near = similarities(wanted.vector, [row["vector"] for row in rows])
    return [Candidate(row, meaning) for row, meaning in zip(rows, near, strict=True)]


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What makes one statement differ from another, beside its values. `ways`: each a look at the vectors."""

    words: bool
    rare: bool
    only: bool
    ways: tuple[Narrowed, ...]
    vector: bool
    required: bool
    labelled: Labelled | None
    circle: Circle | None
    kind: bool


def _shape(wanted: Wanted) -> _Shape:
    terms, narrow = wanted.terms, wanted.required is not None
    return _Shape(
        words=bool(terms.terms),
        rare=terms.are_rare,
        only=wanted.only is not None,
        ways=() if wanted.vector is None or narrow else tuple(_ways(wanted)),
        vector=wanted.vector is not None,
        required=narrow,
        labelled=None if narrow else wanted.labelled,
        circle=None if wanted.circle is None else nearest.like(wanted.circle),
        kind=wanted.kind is not None,
    )


def _ways(wanted: Wanted) -> list[Narrowed]:
    """Everything that passes the filters where that is not too much; else what is of the nearest categories."""
    narrowed = Narrowed(
        kinds=nearest.ASKED if wanted.kind is not None else None,
        circle=None if wanted.circle is None else nearest.like(wanted.circle),
        spoken=wanted.spoken is not None,
        origin=wanted.origin is not None,
        public=wanted.public,
        topics="topics" if wanted.topics is not None else None,
    )
    near = narrowed.circle is not None and narrowed.circle.cells is not None
    few = (near and wanted.kind is not None) or 0 < len(wanted.topics or ()) <= _SOME_TOPICS
    if wanted.total <= SMALL or few or wanted.labelled is not None:
        return [narrowed]
    if wanted.likely_kind is not None:
        others = narrowed.with_topics(nearest.OTHERS, kinds=nearest.OTHERS)
        return [others, narrowed.with_topics("many_topics", kinds="likely_kinds")]
    return [narrowed.with_topics("some_topics" if near or wanted.kind is not None else "few_topics")]


def _values(wanted: Wanted, ways: Sequence[Narrowed]) -> dict[str, Any]:
    values = {
        **ranking.values(wanted.terms),
        **required.values(wanted.required),
        **(wanted.circle.values() if wanted.circle is not None else {}),
        "version": wanted.version,
        "most": wanted.most,
        "fewer": wanted.most // 4,
        "now": wanted.now,
        "sides": ["offer", "need"] if wanted.side is None else [wanted.side],
        "kind": wanted.kind,
        "likely_kinds": [wanted.likely_kind],
        "spoken": wanted.spoken,
        "origin": wanted.origin,
        "topics": wanted.topics,
        nearest.ASKED: nearest.KINDS if wanted.kind is None else [wanted.kind],
    }
    if wanted.only is not None:
        values |= {"only_origin": wanted.only[0], "only_id": wanted.only[1]}
    if wanted.vector is not None:
        around = meaning.around(wanted.vector, _MANY_TOPICS if wanted.topics is None else _ALL_TOPICS)
        around = [topic for topic in around if wanted.topics is None or topic in wanted.topics]
        values |= {"signs": wanted.vector.signs, "many_topics": around[:_MANY_TOPICS]}
        values |= {"few_topics": around[:_FEW_TOPICS], "some_topics": around[:_SOME_TOPICS]}
        values |= {nearest.OTHERS: _beside(wanted.likely_kind, around)}
        values |= nearest.standing(ways, wanted.version, values)
    return {**values, **wanted.conditions.values}


def _beside(likely: str | None, around: Sequence[str]) -> list[tuple[list[str], Sequence[str]]]:
    """Where to look for other kinds than the likely one: farther for what is near to all than for the rest.

    `around`: the nearest categories.
    """
    others = [kind for kind in nearest.KINDS if kind != likely]
    if likely == NEAR_TO_ALL:
        return [(others, around[:_TOPICS_BESIDE])]
    rest = [kind for kind in others if kind != NEAR_TO_ALL]
    return [([NEAR_TO_ALL], around[:_SOME_TOPICS]), (rest, around[:1])]


def _statement(conditions: Conditions, shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    sources = [_only()] if shape.only else [*_by_words(conditions, shape), *_by_meaning(conditions, shape)]
    found = sa.union(*sources).subquery("found") if len(sources) > 1 else sources[0].subquery("found")
    coverage: Any = ranking.coverage(Terms()) if shape.words else sa.literal_column("0.0", sa.Double)
    light = sa.select(*results.LIGHT, coverage.label("coverage"))
    # one by one, by their key: a limit keeps PostgreSQL from reading all things that pass the filters instead
    thing = light.where(things.c.origin == found.c.origin, things.c.id == found.c.id, *conditions.clauses).limit(1)
    one = thing.lateral("thing")
    known = sa.and_(meanings.c.origin == one.c.origin, meanings.c.id == one.c.id)
    known = sa.and_(known, meanings.c.model == sa.bindparam("version", type_=sa.Text))
    vector: list[Any] = [meanings.c.vector] if shape.vector or shape.only else []
    return sa.select(*one.c, *vector, results.as_sent(meanings.c.topics)).select_from(
        found.join(one, sa.true()).outerjoin(meanings, known)
    )


@lru_cache(maxsize=128)
def _kept_statement(conditions: Conditions, shape: _Shape) -> Kept:
    return kept(_statement(conditions, shape))


def _by_meaning(conditions: Conditions, shape: _Shape) -> list[sa.Select[Any, Any]]:
    if not shape.vector:
        return []
    if shape.required:
        return nearest.among(conditions, required.places())
    if shape.labelled is None:
        return nearest.of(conditions, shape.ways)
    both = (labelled.alike(shape.labelled), *nearest.closed(conditions, shape.ways))
    return [sa.select(one.subquery()) for one in both]


def _only() -> sa.Select[Any, Any]:
    origin, thing_id = sa.bindparam("only_origin", type_=sa.Text), sa.bindparam("only_id", type_=sa.Uuid)
    return sa.select(things.c.origin, things.c.id).where(things.c.origin == origin, things.c.id == thing_id)


def _by_words(conditions: Conditions, shape: _Shape) -> list[sa.Select[Any, Any]]:
    """Of rare words all things are ranked. Of common ones the index of words reads places and kinds, too.

    Words first, then the filters one by one: PostgreSQL would think that hardly anything lies in a circle, and read all
    of it for its words.
    """
    if not shape.words:
        return []
    said = sa.select(ranking.PLACE.label("place")).where(ranking.about(Terms()))
    if not shape.rare and shape.circle is not None and shape.circle.cells is not None:
        said = said.where(ranking.IN_CELLS)
    if not shape.rare and shape.kind:
        said = said.where(ranking.OF_KIND)
    fenced = said.offset(sa.literal_column("0")).subquery("said")
    same = fenced.c.place == ranking.PLACE
    rank: list[Any] = [ranking.coverage(Terms()).label("coverage"), things.c.changed_at] if shape.rare else []
    one = sa.select(things.c.origin, things.c.id, *rank).where(same, *conditions.clauses).limit(1).lateral("one")
    chosen = sa.select(one.c.origin, one.c.id).select_from(fenced.join(one, sa.true()))
    if shape.rare:
        chosen = chosen.order_by(one.c.coverage.desc(), one.c.changed_at.desc())
    return [sa.select(chosen.limit(nearest.MOST).subquery())]

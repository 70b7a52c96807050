"""What may be meant: found by words and by meaning under the hard filters, with the figures that rank it.

The filters come first, always. By words: things that have the rarer ones. By meaning: the nearest of those that pass
the filters of the vectors' index, exactly compared; there is no approximate index that could lose some.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import cells, ranking
from services.matching.domain import Point, relevance
from services.matching.meaning import Vector, similarities
from services.matching.queries import results
from services.matching.tables import meanings, things
from services.matching.terms import Terms

Condition = sa.ColumnElement[bool]

BY_WORDS = 400
BY_MEANING = 250
SMALL = 20_000
"""Up to so many things all are compared; beyond, those of the same kind or of the nearest categories."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for. `conditions`: hard filters on `things`, visibility among them; nothing else gets through.

    `version`: of the vectors that count. `total`: about how many things there are. `kinds`: the only ones to find
    (None: all); `likely_kind`: the one that is looked at first among very many. `point` and `radius_km`: a circle that
    is among the conditions already.
    """

    conditions: Sequence[Condition]
    terms: Terms
    vector: Vector | None
    version: str
    total: int
    side: str | None
    kind: str | None = None
    likely_kind: str | None = None
    point: Point | None = None
    radius_km: float | None = None
    only: tuple[str, Any] | None = None


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
    """The most relevant things, the best first: several hundred at the most."""
    sources = [_only(wanted)] if wanted.only else [*_by_words(wanted), *_by_meaning(wanted)]
    if not sources:
        return []
    found = sa.union(*sources).subquery("found") if len(sources) > 1 else sources[0].subquery("found")
    coverage: Any = ranking.coverage(wanted.terms) if wanted.terms.terms else sa.literal(0.0, sa.Double)
    light = sa.select(*results.LIGHT, coverage.label("coverage"))
    # one by one, by their key: a limit keeps PostgreSQL from reading all things that pass the filters instead
    thing = light.where(things.c.origin == found.c.origin, things.c.id == found.c.id, *wanted.conditions).limit(1)
    one = thing.lateral("thing")
    known = sa.and_(meanings.c.origin == one.c.origin, meanings.c.id == one.c.id, meanings.c.model == wanted.version)
    chosen = sa.select(*one.c, meanings.c.vector, meanings.c.topics).select_from(
        found.join(one, sa.true()).outerjoin(meanings, known)
    )
    rows = (await session.execute(chosen)).mappings().all()
    near: list[float | None] = [None] * len(rows)
    if wanted.vector is not None:
        near = similarities(wanted.vector, [row["vector"] for row in rows])
    listed = [Candidate(row, meaning) for row, meaning in zip(rows, near, strict=True)]
    return sorted(listed, key=lambda one: (-one.relevance, -one.row["changed_at"].timestamp(), str(one.key)))


def _only(wanted: Wanted) -> sa.Select[Any, Any]:
    assert wanted.only is not None  # noqa: S101 - the caller looked
    origin, thing_id = wanted.only
    return sa.select(things.c.origin, things.c.id).where(things.c.origin == origin, things.c.id == thing_id)


def _by_words(wanted: Wanted) -> list[sa.Select[Any]]:
    if not wanted.terms.terms:
        return []
    chosen = sa.select(things.c.origin, things.c.id).where(*wanted.conditions, ranking.about(wanted.terms))
    if wanted.terms.are_rare:
        chosen = chosen.order_by(ranking.coverage(wanted.terms).desc(), things.c.changed_at.desc())
    return [sa.select(chosen.limit(BY_WORDS).subquery())]


def _by_meaning(wanted: Wanted) -> list[sa.Select[Any]]:
    if wanted.vector is None:
        return []
    apart = sa.func.bit_count(meanings.c.bits.op("#")(sa.cast(sa.cast(wanted.vector.signs, sa.Text), BIT(384))))
    fixed = [meanings.c.model == wanted.version]
    fixed.append(meanings.c.side.in_(["offer", "need"]) if wanted.side is None else meanings.c.side == wanted.side)
    if wanted.kind is not None:
        fixed.append(meanings.c.kind == wanted.kind)
    near = [] if wanted.point is None or wanted.radius_km is None else _cells(wanted.point, wanted.radius_km)
    nearest = sa.select(meanings.c.origin, meanings.c.id).order_by(apart).limit(BY_MEANING)
    ways: list[list[Condition]] = [[]]
    if wanted.total > SMALL and wanted.kind is None:
        ways = [[meanings.c.topic.in_(wanted.vector.topics)]]
        if wanted.likely_kind is not None:
            ways.append([meanings.c.kind == wanted.likely_kind])
    open_ones = [nearest.where(*fixed, meanings.c.open, *near, *way) for way in ways]
    return [*[sa.select(one.subquery()) for one in open_ones], _of_circles(wanted, fixed, apart)]


def _of_circles(wanted: Wanted, fixed: list[Condition], apart: Any) -> sa.Select[Any]:
    """Things for circles: few may see them, so who looks is checked before anything is compared."""
    same = sa.and_(meanings.c.origin == things.c.origin, meanings.c.id == things.c.id)
    chosen = sa.select(meanings.c.origin, meanings.c.id).select_from(meanings.join(things, same))
    chosen = chosen.where(*fixed, sa.not_(meanings.c.open), *wanted.conditions)
    return sa.select(chosen.order_by(apart).limit(BY_MEANING).subquery())


def _cells(point: Point, radius_km: float) -> list[Condition]:
    numbers = cells.touched(point, radius_km)
    return [] if numbers is None else [meanings.c.cell == sa.any_(sa.literal(numbers, sa.ARRAY(sa.Integer)))]

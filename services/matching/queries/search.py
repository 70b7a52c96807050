"""Search: filters first, then words by rarity and meaning together, then distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.chassis import paging
from services.matching import free_time, taxonomy
from services.matching.conditions import Conditions
from services.matching.domain import Point, Term, distance_km, interval_text
from services.matching.meaning import Vector
from services.matching.queries import browsing, facets, free_facet, labelled, required, results, skills
from services.matching.queries.candidates import BY_WORDS, SMALL, Candidate, Wanted, candidates
from services.matching.queries.filters import Filters, conditions_of, origin_of, topics_of
from services.matching.ranking import Circle
from services.matching.relevance import FOUND_MEANING
from services.matching.terms import Part, Terms, terms_of
from services.matching.views import ResultView, SearchPage
from services.matching.words import Query

MOST_RESULTS = 1000
"""Results that pages reach, at the most."""

MOST_NEAREST = 10
"""What is shown when nothing fits: the nearest in meaning."""

_NEAR_WEIGHT = 0.15
_NEAR_KM = 30.0
Sort = Literal["relevance", "nearest", "newest"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for; None leaves it open.

    `origin`: "ours" or a peer's instance id. `topic`: a code of the taxonomy. `spoken`: the language of the text.
    `window`: free in it. `zone`: of the days that are offered to narrow by.
    `vector`: of the words, None without a model; `version`: of the vectors that count.
    """

    query: Query
    language: Locale
    vector: Vector | None = None
    version: str = ""
    side: Side | None = None
    kind: Kind | None = None
    category: str | None = None
    topic: str | None = None
    tag: str | None = None
    origin: str | None = None
    spoken: Locale | None = None
    near: Point | None = None
    radius_km: float | None = None
    window: free_time.Interval | None = None
    zone: str = "Europe/Paris"
    sort: Sort = "relevance"

    @property
    def circle(self) -> Circle | None:
        """Where results must lie; None: anywhere."""
        if self.near is None or self.radius_km is None:
            return None
        return Circle(centre=self.near, radius_km=self.radius_km)

    @property
    def filters(self) -> Filters:
        """The hard ones."""
        same = ("query", "side", "kind", "category", "topic", "tag", "origin", "spoken", "circle")
        return Filters(**{name: getattr(self, name) for name in same})


@dataclass(frozen=True)
class Ranked:
    """A thing in its place: `score` orders; `period`: when it is free in the window asked for, if that is known."""

    one: Candidate
    km: float | None
    score: float
    period: free_time.Interval | None = None


async def search(
    session: AsyncSession, wanted: Search, *, member_id: UUID | None, now: datetime, offset: int, limit: int
) -> SearchPage:
    """A page of what the member (None: anybody) may see. Without words: the nearest, or else the newest."""
    terms = await terms_of(session, Part(text=wanted.query.wanted, language=wanted.language))
    conditions = conditions_of(wanted.filters, member_id=member_id, now=now)
    most = 0 if wanted.query.wanted else await browsing.most(session)
    found, nearest = await _found(session, wanted, terms, conditions, most)
    ranked = sorted((_ranked(one, wanted) for one in found), key=_order(wanted.sort))
    if wanted.window is not None:
        ranked = await _free_ones(session, ranked, wanted.window, now)
    shown = ranked[offset : offset + limit]
    rows = await results.whole(session, [one.one.key for one in shown], terms, conditions)
    coded = await skills.codes(session, rows.values() if terms.skilled else ())
    codes = {key: skills.views(found) for key, found in coded.items()}
    items = [
        _view(rows[one.one.key], one, wanted.language).model_copy(update={"skills": codes.get(one.one.key, [])})
        for one in shown
        if one.one.key in rows
    ]
    more = offset + limit < len(ranked)
    return SearchPage(
        items=items,
        total=len(ranked),
        at_least=not _are_counted(found, terms.total, most) and not nearest,
        next=paging.encode(offset + limit) if more else None,
        nearest=nearest,
        by_meaning=wanted.vector is not None,
        facets=facets.of([(one.one, one.km) for one in ranked], wanted.language)
        | (
            await free_facet.of(session, [one.one.key for one in ranked], wanted.zone, now) if not wanted.window else {}
        ),
    )


async def _found(
    session: AsyncSession, wanted: Search, terms: Terms, conditions: Conditions, most: int
) -> tuple[list[Candidate], bool]:
    """The candidates, and whether they are only the nearest in meaning because nothing fits."""
    if not wanted.query.wanted:
        return await _all(session, wanted, conditions, most), False
    anybody = conditions.values["member_id"] is None
    way = labelled.way(wanted.filters, public=anybody) if terms.total > SMALL else None
    said = await required.rarest(session, wanted.filters)
    if said is not None and said.things > labelled.MOST:
        way = None
    if said is not None and not (said.is_rare and (way is None or wanted.filters.ask_for_more_than_a_label)):
        said = None
    found = await candidates(
        session,
        Wanted(
            conditions=conditions,
            now=conditions.values["now"],
            terms=terms,
            vector=wanted.vector,
            version=wanted.version,
            total=terms.total,
            side=wanted.side,
            kind=wanted.kind,
            spoken=wanted.spoken,
            origin=origin_of(wanted.origin),
            topics=topics_of(wanted.topic),
            circle=wanted.circle,
            public=anybody,
            many=wanted.window is not None,
            required=said,
            labelled=way,
        ),
    )
    fitting = [one for one in found if one.coverage > 0 or (one.meaning or 0.0) >= FOUND_MEANING]
    if fitting and not terms.says_nothing:
        return fitting, False
    nearest = sorted((one for one in found if one.meaning is not None), key=lambda one: -(one.meaning or 0.0))
    return nearest[:MOST_NEAREST], bool(nearest)


async def _all(session: AsyncSession, wanted: Search, conditions: Conditions, most: int) -> list[Candidate]:
    """Without words: the newest, or the nearest, up to so many."""
    who = {name: conditions.values[name] for name in ("member_id", "now")}
    asked = browsing.Asked(version=wanted.version, most=most, **who)
    if wanted.near is None or wanted.sort == "newest":
        return await browsing.newest(session, wanted.filters, asked)
    return await browsing.nearest(session, wanted.filters, asked, near=wanted.near)


def _are_counted(found: Sequence[Candidate], total: int, most: int) -> bool:
    """Whether `found` is all that there is; else there may be more.

    `total`: of things, about. `most`: without words, so many were looked for; 0: there are words.
    """
    if most:
        return len(found) < most
    by_words = sum(one.coverage > 0 for one in found)
    by_meaning = sum((one.meaning or 0.0) >= FOUND_MEANING for one in found)
    return total <= SMALL and by_words < BY_WORDS and by_meaning < BY_WORDS


def _ranked(one: Candidate, wanted: Search) -> Ranked:
    row, km = one.row, None
    if wanted.near is not None and row["latitude"] is not None and row["longitude"] is not None:
        km = distance_km(wanted.near, Point(latitude=row["latitude"], longitude=row["longitude"]))
    near = 0.0 if km is None else _NEAR_WEIGHT / (1 + km / _NEAR_KM)
    return Ranked(one, km, one.relevance + near)


def _order(sort: Sort) -> Any:
    def key(ranked: Ranked) -> tuple[Any, ...]:
        age, last = -ranked.one.row["changed_at"].timestamp(), str(ranked.one.key)
        if sort == "newest":
            return age, last
        if sort == "nearest":
            return float("inf") if ranked.km is None else ranked.km, -ranked.score, age, last
        return -ranked.score, age, last

    return key


async def _free_ones(
    session: AsyncSession, ranked: Sequence[Ranked], window: free_time.Interval, now: datetime
) -> list[Ranked]:
    """Those that are free in the window, and those without a calendar: nobody can know of them."""
    calendars = await results.calendars(session, [one.one.key for one in ranked])
    found: list[Ranked] = []
    for one in ranked:
        rules, busy = free_facet.calendar(calendars.get(one.one.key))
        if rules is None:
            found.append(one)
        elif (period := free_time.first_free(rules, busy, start=window[0], end=window[1], now=now)) is not None:
            found.append(Ranked(one.one, one.km, one.score, period))
    return found


def _view(row: sa.RowMapping, ranked: Ranked, language: Locale) -> ResultView:
    reasons = [Term("words", ", ".join(row["shared"]))] if row["shared"] else []
    topics = ranked.one.row["topics"]
    if (ranked.one.meaning or 0.0) >= FOUND_MEANING and topics:
        reasons.append(Term("topic", taxonomy.name(topics[0], language)))
    if ranked.km is not None:
        reasons.append(Term("distance", f"{ranked.km:.0f}"))
    if ranked.period is not None:
        reasons.append(Term("free", interval_text(ranked.period)))
    return ResultView(**results.common(row, reasons, ranked.km))

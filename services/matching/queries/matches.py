"""Offers for a need, live from the index."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed, NotFound
from services.matching import audience, taxonomy
from services.matching.conditions import Condition, Conditions
from services.matching.domain import (
    ASKING_AFTER_DAYS,
    Term,
    distance_km,
    kind_gain,
)
from services.matching.meaning import Vector, unpacked
from services.matching.queries import life, results, skills
from services.matching.queries.candidates import SMALL, Wanted, candidates
from services.matching.queries.fairness import fairness
from services.matching.queries.judging import Judge, Match, Shown, point
from services.matching.queries.weights import factors_in_force
from services.matching.ranking import Circle
from services.matching.relevance import is_about
from services.matching.tables import OURS, meanings, proposals, things
from services.matching.terms import Part, Terms, terms_of
from services.matching.views import LackView, MatchesView, MatchView, NearMissView

_JUDGED = 100
_MOST_ITEMS = 10
_MOST_NEAR_MISSES = 5

Row = sa.RowMapping


async def need_of(session: AsyncSession, need_id: UUID, *, now: datetime) -> Row | None:
    """An open need of this cooperative."""
    chosen = sa.select(things).where(things.c.origin == OURS, things.c.id == need_id, things.c.side == "need")
    return (await session.execute(chosen.where(audience.standing(now)))).mappings().one_or_none()


async def matches_for_reader(
    session: AsyncSession, need_id: UUID, *, actor: Actor, now: datetime, farthest_km: float, version: str
) -> MatchesView:
    """What the need's owner sees, and a coordinator as far as both may see it. Raises NotFound, NotAllowed."""
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    if need["owner_member_id"] != actor.id and not actor.is_coordinator:
        circles = (await session.execute(audience.circles_of(actor.id))).scalars().all()
        if need["owner_circle_id"] not in circles:
            raise NotAllowed
    answers = await answers_to(session, need_id)
    declined = {key for key, answer in answers.items() if answer["status"] == "declined"}
    found = await matches_of(
        session,
        need,
        now=now,
        farthest_km=farthest_km,
        version=version,
        also_seen_by=actor.id,
        shown=Shown(most=_MOST_ITEMS, near_misses=_MOST_NEAR_MISSES, leave_out=declined),
    )
    items = [match for match in found if not match.fit.missing]
    items.sort(key=lambda match: not match.fit.is_likely)
    misses = [match for match in found if match.fit.missing]
    coded = await skills.codes(session, [match.row for match in [*items, *misses]])

    def fields(match: Match) -> dict[str, Any]:
        codes = skills.views(coded[match.row["origin"], match.row["id"]])
        return {**_fields(match, need, actor.locale), **_life(match, answers, now), "skills": codes}

    return MatchesView(
        need_id=need_id,
        by_meaning=bool(version),
        past=need["window_end"] is not None and need["window_end"] <= now,
        items=[MatchView(**fields(match)) for match in items],
        near_misses=[NearMissView(**fields(match), missing=_missing(match)) for match in misses],
    )


async def matches_of(
    session: AsyncSession,
    need: Row,
    *,
    now: datetime,
    farthest_km: float,
    version: str = "",
    also_seen_by: UUID | None = None,
    only: tuple[str, UUID] | None = None,
    shown: Shown | None = None,
) -> list[Match]:
    """Offers about what `need` asks for that its owner may see, never the owner's own; the best first.

    `version`: of the vectors that count. `only`: nothing but this offer (origin, id). `shown`: those that are wanted,
    of which alone whole rows are read; None: all.
    """
    farthest_km = max(farthest_km, await life.widened_km(session, need["id"]))
    terms, vector = await need_terms(session, need), await vector_of(session, need, version)
    if not terms.terms and vector is None:
        return []
    conditions = _conditions(need, now, also_seen_by)
    wanted = _wanted(need, terms, vector, conditions, version=version, farthest_km=farthest_km)
    found = await candidates(session, replace(wanted, only=only))
    likely = [one for one in found if is_about(one.coverage, one.meaning, of_kind=one.row["kind"] == need["kind"])]
    likely.sort(key=lambda one: -one.relevance - kind_gain(need["kind"], one.row["kind"]))
    del likely[_JUDGED:]
    judge = Judge(
        need=need,
        vector=vector,
        fair=await fairness(session, now),
        factors=await factors_in_force(session),
        now=now,
        farthest_km=farthest_km,
    )
    calendars = await results.calendars(session, [one.key for one in likely]) if judge.asks_for_time else {}
    judged = judge.all_of(likely, calendars)
    judged = judged if shown is None else shown.of(judged)
    rows = await results.whole(session, [each.one.key for each in judged], terms, conditions)
    matches = [judge.match(each.one, rows[each.one.key]) for each in judged if each.one.key in rows]
    return [match for match in matches if match is not None]


def _wanted(
    need: Row, terms: Terms, vector: Vector | None, conditions: Conditions, *, version: str, farthest_km: float
) -> Wanted:
    here = point(need)
    return Wanted(
        conditions=conditions,
        now=conditions.values["now"],
        terms=terms,
        vector=vector,
        version=version,
        total=terms.total,
        side="offer",
        likely_kind=need["kind"],
        circle=Circle(centre=here, radius_km=farthest_km) if here and terms.total > SMALL else None,
        public=need["owner_member_id"] is None,
    )


async def answers_to(session: AsyncSession, need_id: UUID) -> dict[results.Key, Row]:
    """What the need's author made of offers, by (origin, id)."""
    chosen = sa.select(proposals).where(proposals.c.need_id == need_id)
    rows = (await session.execute(chosen)).mappings().all()
    return {(row["origin"], row["offer_id"]): row for row in rows}


def _conditions(need: Row, now: datetime, also_seen_by: UUID | None) -> Conditions:
    """Offers that the need's owner may see, and `also_seen_by`, and that are not the owner's own."""
    owner, circle = need["owner_member_id"], need["owner_circle_id"]
    shape = (owner is None, circle is None, also_seen_by is None)
    key = ("matches", shape, audience.visible_to)
    values = {"owner_id": owner, "owner_circle_id": circle, "reader_id": also_seen_by, "now": now}
    member = None if owner is None else "owner_id"
    return Conditions(clauses=_clauses(shape, audience.visible_to), key=key, values=values, member=member)


@lru_cache(maxsize=16)
def _clauses(shape: tuple[bool, bool, bool], visible_to: Callable[..., Condition]) -> tuple[Condition, ...]:
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    owner, circle, reader = (
        None if nobody else sa.bindparam(name, type_=sa.Uuid)
        for nobody, name in zip(shape, ("owner_id", "owner_circle_id", "reader_id"), strict=True)
    )
    found = [things.c.side == "offer", visible_to(owner, now), things.c.owner_member_id.is_distinct_from(owner)]
    if circle is not None:
        found.append(things.c.owner_circle_id.is_distinct_from(circle))
    return *found, *([visible_to(reader, now)] if reader is not None else [])


async def vector_of(session: AsyncSession, thing: Row, version: str) -> Vector | None:
    """The vector of a thing; None when it has none of this version (yet)."""
    chosen = sa.select(meanings.c.vector, meanings.c.topics).where(
        meanings.c.origin == thing["origin"], meanings.c.id == thing["id"], meanings.c.model == version
    )
    row = (await session.execute(chosen)).one_or_none()
    return None if row is None else unpacked(row.vector, row.topics)


async def need_terms(session: AsyncSession, need: Row) -> Terms:
    """What a need asks for: its title above all, its category, and its text a little."""
    language = need["language"]
    return await terms_of(
        session,
        Part(text=need["title"], language=language),
        Part(text=need["category"], language=language, weight=0.8),
        Part(text=need["text"], language=language, weight=0.3),
    )


def status_of(match: Match, answers: dict[results.Key, Row]) -> str:
    """How far a match has come: `answers` as by `answers_to`."""
    answer = answers.get((match.row["origin"], match.row["id"]))
    return "proposed" if answer is None else str(answer["status"])


def _life(match: Match, answers: dict[results.Key, Row], now: datetime) -> dict[str, Any]:
    answer = answers.get((match.row["origin"], match.row["id"]))
    if answer is None:
        return {}
    accepted_at: datetime | None = answer["changed_at"] if answer["status"] == "accepted" else None
    asked_from = None if accepted_at is None else accepted_at + timedelta(days=ASKING_AFTER_DAYS)
    return {
        "status": answer["status"],
        "outcome": answer["outcome"],
        "ask_outcome": answer["outcome"] is None and asked_from is not None and asked_from <= now,
    }


def _fields(match: Match, need: Row, language: Locale) -> dict[str, Any]:
    here, there = point(need), point(match.row)
    km = distance_km(here, there) if here and there else None
    reasons = [
        Term("topic", taxonomy.name(term.value, language)) if term.code == "topic" else term
        for term in match.fit.reasons
    ]
    return results.common(match.row, reasons, km) | {
        "score": round(match.fit.score, 4),
        "likely": match.fit.is_likely,
    }


def _missing(match: Match) -> LackView:
    missing = match.fit.missing[0]
    return LackView(code=missing.code, value=missing.value, by=missing.by)

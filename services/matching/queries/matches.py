"""Offers for a need, live from the index."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    Fit,
    Need,
    Offer,
    Point,
    Term,
    distance_km,
    fit,
    kind_gain,
)
from services.matching.free_time import Interval
from services.matching.meaning import Vector, unpacked
from services.matching.queries import life, results, skills
from services.matching.queries.candidates import SMALL, Candidate, Wanted, candidates
from services.matching.queries.fairness import Fairness, fairness
from services.matching.queries.weights import factors_in_force
from services.matching.ranking import Circle
from services.matching.relevance import is_about
from services.matching.tables import OURS, meanings, proposals, things
from services.matching.terms import Part, Terms, terms_of
from services.matching.views import LackView, MatchesView, MatchView, NearMissView

_JUDGED = 100
_HEAD_ENDS = re.compile(r"[,:;.](?=\s)|[(–]|\s-\s")
_LONGEST_HEAD = 60
_MOST_ITEMS = 10
_MOST_NEAR_MISSES = 5
_OPEN_WINDOW = timedelta(days=60)

Row = sa.RowMapping


@dataclass(frozen=True)
class Match:
    """An offer's row and how it fits."""

    row: Row
    fit: Fit


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
    found = await matches_of(session, need, now=now, farthest_km=farthest_km, version=version, also_seen_by=actor.id)
    answers = await answers_to(session, need_id)
    found = [match for match in found if status_of(match, answers) != "declined"]
    items = [match for match in found if not match.fit.missing][:_MOST_ITEMS]
    items.sort(key=lambda match: not match.fit.is_likely)
    misses = [match for match in found if len(match.fit.missing) == 1][:_MOST_NEAR_MISSES]
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
) -> list[Match]:
    """Offers about what `need` asks for that its owner may see, never the owner's own; the best first.

    `version`: of the vectors that count. `only`: nothing but this offer (origin, id).
    """
    farthest_km = max(farthest_km, await life.widened_km(session, need["id"]))
    terms, vector = await need_terms(session, need), await vector_of(session, need, version)
    if not terms.terms and vector is None:
        return []
    conditions, here = _conditions(need, now, also_seen_by), _point(need)
    found = await candidates(
        session,
        Wanted(
            conditions=conditions,
            now=now,
            terms=terms,
            vector=vector,
            version=version,
            total=terms.total,
            side="offer",
            likely_kind=need["kind"],
            circle=Circle(centre=here, radius_km=farthest_km) if here and terms.total > SMALL else None,
            only=only,
        ),
    )
    likely = [one for one in found if is_about(one.coverage, one.meaning, of_kind=one.row["kind"] == need["kind"])]
    likely.sort(key=lambda one: -one.relevance - kind_gain(need["kind"], one.row["kind"]))
    rows = await results.whole(session, [one.key for one in likely[:_JUDGED]], terms, conditions)
    fair = await fairness(session, now)
    offers = [(rows[one.key], _offer(rows[one.key], one, need, vector, fair)) for one in likely if one.key in rows]
    return _judged(_need(need, now), offers, now, farthest_km, await factors_in_force(session))


def _judged(
    need: Need, offers: Sequence[tuple[Row, Offer]], now: datetime, farthest_km: float, factors: dict[str, float]
) -> list[Match]:
    judged = [(row, fit(need, offer, now=now, farthest_km=farthest_km, factors=factors)) for row, offer in offers]
    matches = [Match(row, judgement) for row, judgement in judged if judgement is not None]
    return sorted(matches, key=lambda match: (-match.fit.score, match.row["origin"], match.row["id"]))


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
    return Conditions(clauses=_clauses(shape, audience.visible_to), key=key, values=values)


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


def _need(row: Row, now: datetime) -> Need:
    window: Interval | None = None
    if row["window_start"] or row["window_end"]:
        start = row["window_start"] or now
        window = (start, row["window_end"] or start + _OPEN_WINDOW)
    return Need(kind=row["kind"], category=row["category"], quantity=row["quantity"], point=_point(row), window=window)


def _offer(row: Row, one: Candidate, need: Row, vector: Vector | None, fair: Fairness) -> Offer:
    topics = one.row["topics"] or ()
    shared = next((topic for topic in topics if vector is not None and topic in vector.topics), None)
    return Offer(
        kind=row["kind"],
        category=row["category"],
        quantity=row["quantity"],
        point=_point(row),
        coverage=one.coverage,
        shared=tuple(row["shared"]),
        meaning=one.meaning,
        topic=shared,
        nearness=f"{_head(row['title'])} ~ {_head(need['title'])}",
        asked=fair.asked[row["owner_member_id"] or row["id"]] if fair.asked else None,
        peer=row["origin_name"] or "",
        uses=fair.with_peers.get(row["origin"]),
        rules=results.rules_of(row),
        busy=results.busy_of(row),
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


def _head(title: str) -> str:
    """The part of a title that names the thing."""
    head = _HEAD_ENDS.split(title, maxsplit=1)[0].strip() or title.strip()
    return head if len(head) <= _LONGEST_HEAD else head[:_LONGEST_HEAD].rsplit(" ", 1)[0] + "…"


def _point(row: Row) -> Point | None:
    if row["latitude"] is None or row["longitude"] is None:
        return None
    return Point(latitude=row["latitude"], longitude=row["longitude"])


def _fields(match: Match, need: Row, language: Locale) -> dict[str, Any]:
    here, there = _point(need), _point(match.row)
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

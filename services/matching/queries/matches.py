"""Offers for a need, live from the index."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed, NotFound
from services.matching import audience, ranking
from services.matching.domain import Fit, Need, Offer, Point, distance_km, fit
from services.matching.free_time import Interval
from services.matching.queries import results
from services.matching.tables import OURS, things
from services.matching.terms import Part, Terms, terms_of
from services.matching.views import MatchesView, MatchView, NearMissView, ReasonView

_CANDIDATES = 200
_MOST_ITEMS = 20
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
    session: AsyncSession, need_id: UUID, *, actor: Actor, now: datetime, farthest_km: float
) -> MatchesView:
    """What the need's owner sees, and a coordinator as far as both may see it. Raises NotFound, NotAllowed."""
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    if need["owner_member_id"] != actor.id and not actor.is_coordinator:
        circles = (await session.execute(audience.circles_of(actor.id))).scalars().all()
        if need["owner_circle_id"] not in circles:
            raise NotAllowed
    found = await matches_of(session, need, now=now, farthest_km=farthest_km, also_seen_by=actor.id)
    items = [match for match in found if not match.fit.missing][:_MOST_ITEMS]
    misses = [match for match in found if len(match.fit.missing) == 1][:_MOST_NEAR_MISSES]
    return MatchesView(
        need_id=need_id,
        items=[MatchView(**_fields(match, need)) for match in items],
        near_misses=[NearMissView(**_fields(match, need), missing=_missing(match)) for match in misses],
    )


async def matches_of(
    session: AsyncSession,
    need: Row,
    *,
    now: datetime,
    farthest_km: float,
    also_seen_by: UUID | None = None,
    only: tuple[str, UUID] | None = None,
) -> list[Match]:
    """Offers about what `need` asks for that its owner may see, never the owner's own; the best first.

    `only`: nothing but this offer (origin, id).
    """
    terms = await need_terms(session, need)
    if not terms.terms:
        return []
    conditions = [things.c.side == "offer", audience.visible_to(need["owner_member_id"], now), ranking.about(terms)]
    conditions.append(things.c.owner_member_id.is_distinct_from(need["owner_member_id"]))
    if need["owner_circle_id"] is not None:
        conditions.append(things.c.owner_circle_id.is_distinct_from(need["owner_circle_id"]))
    if also_seen_by is not None:
        conditions.append(audience.visible_to(also_seen_by, now))
    if only is not None:
        conditions += [things.c.origin == only[0], things.c.id == only[1]]
    rows = (await session.execute(_candidates(terms, conditions))).mappings().all()
    wanted = _need(need, now)
    judged = [(row, fit(wanted, _offer(row), now=now, farthest_km=farthest_km)) for row in rows]
    found = [Match(row, judgement) for row, judgement in judged if judgement is not None]
    return sorted(found, key=lambda match: (-match.fit.score, match.row["origin"], match.row["id"]))


async def need_terms(session: AsyncSession, need: Row) -> Terms:
    """What a need asks for: its title above all, its category, and its text a little."""
    language = need["language"]
    return await terms_of(
        session,
        Part(text=need["title"], language=language),
        Part(text=need["category"], language=language, weight=0.8),
        Part(text=need["text"], language=language, weight=0.3),
    )


def _candidates(terms: Terms, conditions: list[Any]) -> sa.Select[Any]:
    score = ranking.coverage(terms).label("coverage")
    columns = [*things.c, *results.WITH_RESOURCE, score, ranking.shared_words(terms).label("shared")]
    chosen = sa.select(*columns).select_from(results.joined()).where(*conditions)
    return chosen.order_by(sa.text("coverage DESC"), things.c.changed_at.desc(), things.c.id).limit(_CANDIDATES)


def _need(row: Row, now: datetime) -> Need:
    window: Interval | None = None
    if row["window_start"] or row["window_end"]:
        start = row["window_start"] or now
        window = (start, row["window_end"] or start + _OPEN_WINDOW)
    return Need(kind=row["kind"], category=row["category"], quantity=row["quantity"], point=_point(row), window=window)


def _offer(row: Row) -> Offer:
    return Offer(
        kind=row["kind"],
        category=row["category"],
        quantity=row["quantity"],
        point=_point(row),
        coverage=row["coverage"],
        shared=tuple(row["shared"]),
        rules=results.rules_of(row),
        busy=results.busy_of(row),
    )


def _point(row: Row) -> Point | None:
    if row["latitude"] is None or row["longitude"] is None:
        return None
    return Point(latitude=row["latitude"], longitude=row["longitude"])


def _fields(match: Match, need: Row) -> dict[str, Any]:
    here, there = _point(need), _point(match.row)
    km = distance_km(here, there) if here and there else None
    return results.common(match.row, match.fit.reasons, km) | {"score": round(match.fit.score, 4)}


def _missing(match: Match) -> ReasonView:
    missing = match.fit.missing[0]
    return ReasonView(code=missing.code, value=missing.value)

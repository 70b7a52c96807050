"""Search: filters first, then words by rarity, then distance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.chassis import paging
from services.matching import audience, free_time, ranking
from services.matching.domain import Point, Term, interval_text
from services.matching.queries import results
from services.matching.tables import OURS, things
from services.matching.terms import Part, Terms, terms_of
from services.matching.views import ResultView, SearchPage

MOST_RESULTS = 1000
"""Ranked results that pages reach, and that are looked at for free times."""

_NEAR_WEIGHT = 0.15
_NEAR_KM = 30.0


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for; None leaves it open. `origin`: "ours" or a peer's instance id. `window`: free in it."""

    words: str
    language: Locale
    side: Side | None
    kind: Kind | None
    category: str | None
    origin: str | None
    near: Point | None
    radius_km: float | None
    window: free_time.Interval | None


async def search(
    session: AsyncSession, wanted: Search, *, member_id: UUID | None, now: datetime, offset: int, limit: int
) -> SearchPage:
    """A page of what the member (None: anybody) may see. Without words: the nearest, or else the newest."""
    terms = await terms_of(session, Part(text=wanted.words, language=wanted.language))
    if wanted.words.strip() and not terms.terms:
        return SearchPage(items=[], total=0)
    found = _ranked(wanted, terms, member_id, now)
    if wanted.window is None:
        total = (await session.execute(sa.select(sa.func.count()).select_from(found.subquery()))).scalar_one()
        rows = (await session.execute(_ordered(found).offset(offset).limit(limit))).mappings().all()
        shown = [(row, None) for row in rows]
    else:
        rows = (await session.execute(_ordered(found).limit(MOST_RESULTS))).mappings().all()
        free = [(row, period) for row in rows if (period := _free(row, wanted.window, now)) is not False]
        total, shown = len(free), free[offset : offset + limit]
    more = offset + limit < min(total, MOST_RESULTS)
    items = [_view(row, period) for row, period in shown]
    return SearchPage(items=items, total=total, next=paging.encode(offset + limit) if more else None)


def _ranked(wanted: Search, terms: Terms, member_id: UUID | None, now: datetime) -> sa.Select[Any]:
    km: sa.ColumnElement[Any] = sa.null().cast(sa.Double)
    if wanted.near is not None:
        km = ranking.kilometres(wanted.near.latitude, wanted.near.longitude)
    score: sa.ColumnElement[Any] = sa.literal(0.0, sa.Double)
    shared: sa.ColumnElement[Any] = sa.literal_column("'{}'::text[]")
    conditions = [audience.visible_to(member_id, now), *_filters(wanted)]
    if terms.terms:
        score, shared = ranking.coverage(terms), ranking.shared_words(terms)
        conditions.append(ranking.about(terms))
    if wanted.near is not None:
        score += sa.func.coalesce(_NEAR_WEIGHT / (1 + km / _NEAR_KM), 0.0)
    columns = [*things.c, *results.WITH_RESOURCE, score.label("score"), shared.label("shared"), km.label("km")]
    return sa.select(*columns).select_from(results.joined()).where(*conditions)


def _filters(wanted: Search) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.side is not None:
        found.append(things.c.side == wanted.side)
    if wanted.kind is not None:
        found.append(things.c.kind == wanted.kind)
    if wanted.category is not None:
        found.append(
            sa.func.lower(sa.func.unaccent(things.c.category)) == sa.func.lower(sa.func.unaccent(wanted.category))
        )
    if wanted.origin is not None:
        found.append(things.c.origin == (OURS if wanted.origin == "ours" else wanted.origin))
    if wanted.near is not None and wanted.radius_km is not None:
        found.append(ranking.within(wanted.near.latitude, wanted.near.longitude, wanted.radius_km))
    return found


def _ordered(found: sa.Select[Any]) -> sa.Select[Any]:
    by = [sa.text("score DESC"), things.c.changed_at.desc(), things.c.id.desc(), things.c.origin]
    return found.order_by(*by)


def _free(row: sa.RowMapping, window: free_time.Interval, now: datetime) -> free_time.Interval | bool | None:
    """The first free period; None when the thing has no calendar (nobody can know); False when it is not free."""
    rules = results.rules_of(row)
    if rules is None:
        return None
    start, end = window
    return free_time.first_free(rules, results.busy_of(row), start=start, end=end, now=now) or False


def _view(row: sa.RowMapping, free: Any) -> ResultView:
    reasons = [Term("words", ", ".join(row["shared"]))] if row["shared"] else []
    if row["km"] is not None:
        reasons.append(Term("distance", f"{row['km']:.0f}"))
    if free:
        reasons.append(Term("free", interval_text(free)))
    return ResultView(**results.common(row, reasons, row["km"]))

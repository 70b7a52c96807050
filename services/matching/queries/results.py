"""Rows of the index as results."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking
from services.matching.conditions import Conditions
from services.matching.domain import Term
from services.matching.free_time import Interval, Opening, Rules, Season
from services.matching.tables import OURS, busy, resources, things
from services.matching.terms import Terms
from services.matching.views import ReasonView

_EXCERPT = 240

WITH_RESOURCE: list[Any] = [resources.c.open.label("bookable"), resources.c.rules, busy.c.intervals]


LIGHT: list[Any] = [
    *[things.c[name] for name in ("origin", "id", "side", "kind", "language", "origin_name", "changed_at")],
    *[things.c[name] for name in ("latitude", "longitude", "tags")],
]
"""What ranking and counting need of a thing."""

Key = tuple[str, Any]


async def whole(
    session: AsyncSession, keys: Sequence[Key], terms: Terms, conditions: Conditions
) -> dict[Key, sa.RowMapping]:
    """The things with their calendars and the words that they share, as far as they still pass the filters."""
    if not keys:
        return {}
    build = _statement if conditions.key is None else _kept_statement
    values = {**conditions.values, **ranking.values(terms), **_values(keys)}
    rows = (await session.execute(build(conditions, with_words=bool(terms.terms)), values)).mappings().all()
    return {(row["origin"], row["id"]): row for row in rows}


def _statement(conditions: Conditions, *, with_words: bool) -> sa.Select[*tuple[Any, ...]]:
    shared: Any = ranking.shared_words(Terms()) if with_words else sa.literal_column("'{}'::text[]")
    chosen = sa.select(*things.c, *WITH_RESOURCE, shared.label("shared")).select_from(joined())
    return chosen.where(_among(), *conditions.clauses)


_kept_statement = lru_cache(maxsize=256)(_statement)


async def calendars(session: AsyncSession, keys: Sequence[Key]) -> dict[Key, sa.RowMapping]:
    """How and when things can be booked."""
    if not keys:
        return {}
    chosen = sa.select(things.c.origin, things.c.id, *WITH_RESOURCE).select_from(joined())
    rows = (await session.execute(chosen.where(_among()), _values(keys))).mappings().all()
    return {(row["origin"], row["id"]): row for row in rows}


def _values(keys: Sequence[Key]) -> dict[str, Any]:
    return {"key_origins": [origin for origin, _ in keys], "key_ids": [thing_id for _, thing_id in keys]}


def _among() -> sa.ColumnElement[bool]:
    wanted = (
        sa.func.unnest(
            sa.bindparam("key_origins", type_=ARRAY(sa.Text)),
            sa.bindparam("key_ids", type_=ARRAY(sa.Uuid)),
        )
        .table_valued(sa.column("origin", sa.Text), sa.column("id", sa.Uuid), name="wanted")
        .render_derived()
    )
    pairs = sa.select(wanted.c.origin, wanted.c.id)
    return sa.tuple_(things.c.origin, things.c.id).in_(pairs)


def joined() -> sa.FromClause:
    """Things with how and when they can be booked."""
    same_resource = sa.and_(resources.c.origin == things.c.origin, resources.c.offer_id == things.c.id)
    same_busy = sa.and_(busy.c.origin == things.c.origin, busy.c.offer_id == things.c.id)
    return things.outerjoin(resources, same_resource).outerjoin(busy, same_busy)


def rules_of(row: sa.RowMapping) -> Rules | None:
    """How the thing can be booked; None when it cannot."""
    if not row["bookable"]:
        return None
    rules = row["rules"]
    names = ("time_zone", "minimum_minutes", "lead_minutes", "horizon_days")
    return Rules(
        opening=_opening(rules["opening_hours"]),
        seasons=tuple(
            Season(begins=one["begins"], ends=one["ends"], opening=_opening(one["opening_hours"]))
            for one in rules.get("seasons", [])
        ),
        closures=tuple(
            (date.fromisoformat(one["first"]), date.fromisoformat(one["last"])) for one in rules.get("closures", [])
        ),
        holidays=rules.get("holidays"),
        **{name: rules[name] for name in names},
    )


def _opening(hours: list[dict[str, Any]]) -> Opening:
    return tuple((one["weekday"], _minutes(one["opens"]), _minutes(one["closes"])) for one in hours)


def busy_of(row: sa.RowMapping) -> list[Interval]:
    """When the thing is taken."""
    return [
        (datetime.fromisoformat(interval["start"]), datetime.fromisoformat(interval["end"]))
        for interval in row["intervals"] or []
    ]


def common(row: sa.RowMapping, reasons: list[Term], distance_km: float | None) -> dict[str, Any]:
    """The fields that every result has."""
    same = [
        *["id", "origin_name", "side", "kind", "title", "category", "language", "quantity", "unit", "urgency"],
        *["tags", "window_start", "window_end", "place_label", "latitude", "longitude", "owner_name", "changed_at"],
    ]
    return {name: row[name] for name in same} | {
        "origin": None if row["origin"] == OURS else row["origin"],
        "excerpt": excerpt(row["text"]),
        "distance_km": None if distance_km is None else round(distance_km, 1),
        "reasons": [ReasonView(code=term.code, value=term.value) for term in reasons],
        "bookable": bool(row["bookable"]),
    }


def excerpt(text: str) -> str:
    """The beginning of a text in one line, ending with a whole word."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[:_EXCERPT].rsplit(" ", 1)[0] + " …"


def _minutes(wall_time: str) -> int:
    hours, _, minutes = wall_time.partition(":")
    return int(hours) * 60 + int(minutes)

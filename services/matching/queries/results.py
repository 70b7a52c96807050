"""Rows of the index as results."""

import json
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
from services.matching.queries.kept import Kept, kept
from services.matching.tables import OURS, busy, resources, things
from services.matching.terms import Terms
from services.matching.views import ReasonView

_EXCERPT = 240


def as_sent(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """An array as the driver hands it over: for hundreds of rows, looking at each element again takes long."""
    return sa.type_coerce(column, sa.types.NullType()).label(column.name)


WITH_RESOURCE: list[Any] = [
    resources.c.open.label("bookable"),
    *(sa.cast(column, sa.Text).label(column.name) for column in (resources.c.rules, busy.c.intervals)),
]
"""Rules and intervals as texts, which are read of few."""


LIGHT: list[Any] = [
    *[things.c[name] for name in ("origin", "id", "side", "kind", "language", "origin_name", "changed_at")],
    *[things.c[name] for name in ("category", "quantity", "owner_member_id")],
    *(things.c.latitude, things.c.longitude),
    as_sent(things.c.tags),
]
"""What ranking, judging and counting need of a thing."""

_SHOWN: list[Any] = [column for column in things.c if column.name != "words"]

Key = tuple[str, Any]


async def whole(
    session: AsyncSession, keys: Sequence[Key], terms: Terms, conditions: Conditions
) -> dict[Key, sa.RowMapping]:
    """The things with their calendars and the words that they share, as far as they still pass the filters."""
    if not keys:
        return {}
    build = _kept_statement.__wrapped__ if conditions.key is None else _kept_statement
    values = {**conditions.values, **ranking.values(terms), **_values(keys)}
    rows = await build(conditions, with_words=bool(terms.terms)).rows(session, values)
    return {(row["origin"], row["id"]): row for row in rows}


def _statement(conditions: Conditions, *, with_words: bool) -> sa.Select[*tuple[Any, ...]]:
    shared: Any = ranking.shared_words(Terms()) if with_words else sa.literal_column("'{}'::text[]")
    wanted = _wanted()
    same = sa.and_(things.c.origin == wanted.c.origin, things.c.id == wanted.c.id)
    # one by one, by their key: a limit keeps PostgreSQL from reading all things that pass the filters instead
    thing = sa.select(*_SHOWN, shared.label("shared")).where(same, *conditions.clauses).limit(1).lateral("thing")
    same_resource = sa.and_(resources.c.origin == thing.c.origin, resources.c.offer_id == thing.c.id)
    same_busy = sa.and_(busy.c.origin == thing.c.origin, busy.c.offer_id == thing.c.id)
    joined = wanted.join(thing, sa.true()).outerjoin(resources, same_resource).outerjoin(busy, same_busy)
    return sa.select(*thing.c, *WITH_RESOURCE).select_from(joined)


@lru_cache(maxsize=128)
def _kept_statement(conditions: Conditions, *, with_words: bool) -> Kept:
    return kept(_statement(conditions, with_words=with_words))


def _values(keys: Sequence[Key]) -> dict[str, Any]:
    return {"key_origins": [origin for origin, _ in keys], "key_ids": [thing_id for _, thing_id in keys]}


def _wanted() -> sa.TableValuedAlias:
    """The keys as rows."""
    keys = (sa.bindparam("key_origins", type_=ARRAY(sa.Text)), sa.bindparam("key_ids", type_=ARRAY(sa.Uuid)))
    columns = (sa.column("origin", sa.Text), sa.column("id", sa.Uuid))
    return sa.func.unnest(*keys).table_valued(*columns, name="wanted").render_derived()


def _calendars() -> sa.Select[*tuple[Any, ...]]:
    wanted = _wanted()
    same = sa.and_(resources.c.origin == wanted.c.origin, resources.c.offer_id == wanted.c.id)
    same_busy = sa.and_(busy.c.origin == resources.c.origin, busy.c.offer_id == resources.c.offer_id)
    chosen = sa.select(resources.c.origin, resources.c.offer_id.label("id"), *WITH_RESOURCE)
    return chosen.select_from(wanted.join(resources, same).outerjoin(busy, same_busy))


_CALENDARS = _calendars()


async def calendars(session: AsyncSession, keys: Sequence[Key]) -> dict[Key, sa.RowMapping]:
    """How and when things can be booked."""
    if not keys:
        return {}
    rows = (await session.execute(_CALENDARS, _values(keys))).mappings().all()
    return {(row["origin"], row["id"]): row for row in rows}


def rules_of(row: sa.RowMapping) -> Rules | None:
    """How the thing can be booked; None when it cannot."""
    if not row["bookable"]:
        return None
    rules: dict[str, Any] = json.loads(row["rules"])
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
        for interval in json.loads(row["intervals"] or "[]")
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

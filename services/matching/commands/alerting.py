"""Telling members what their saved searches have found: at once, each morning, or each Monday."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import FoundBySearch, FoundThing, SearchesFound
from services.chassis import outbox
from services.matching.domain import How
from services.matching.member_tables import alerted, saved_searches
from services.matching.queries import saved
from services.matching.tables import OURS, things

DIGEST_HOUR = 7
MOST_LISTED = 5
_DAY = timedelta(days=1)
_LOOKED_AT = 20
_LOCKS = 2
"""The family of these advisory locks: those of who asks to be put in touch are another."""

Row = sa.RowMapping


@dataclass(frozen=True, kw_only=True)
class Due:
    """From when on what was found waits for no digest any more. `daily`, `weekly`: the last digest's instant.

    `a_day`: so many instant messages a member gets within 24 hours; what is beyond comes with the daily digest.
    """

    now: datetime
    daily: datetime
    weekly: datetime
    a_day: int


def due_at(now: datetime, time_zone: str, *, a_day: int) -> Due:
    """Digests are of `DIGEST_HOUR` on the clocks of `time_zone`, the weekly one on Mondays. `now`: aware."""
    local = now.astimezone(ZoneInfo(time_zone))
    daily = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if daily > local:
        daily -= _DAY
    return Due(now=now, daily=daily, weekly=daily - _DAY * daily.weekday(), a_day=a_day)


async def tell_next(session: AsyncSession, due: Due) -> bool:
    """Tell one member all that is due. False when nobody is to be told anything. Safe in every replica."""
    member_id = await _next(session, due)
    if member_id is None:
        return False
    rows = await _due_of(session, member_id, due)
    for how in ("instant", "daily", "weekly"):
        some = [row for row in rows if _told_as(row, due) == how]
        if some:
            await _tell(session, member_id, how, some, due.now)
    return True


async def _next(session: AsyncSession, due: Due) -> UUID | None:
    """A member whom nobody else tells at this moment; the lock is the member's, as two that lock rows would meet."""
    waiting = sa.select(alerted.c.member_id).select_from(alerted.join(saved_searches)).where(_is_due(due))
    for member_id in (await session.execute(waiting.distinct().limit(_LOOKED_AT))).scalars().all():
        lock = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(str(member_id), _LOCKS))
        if (await session.execute(sa.select(lock))).scalar_one():
            still = waiting.where(alerted.c.member_id == member_id).limit(1)
            if (await session.execute(still)).scalar() is not None:
                return member_id
    return None


def _is_due(due: Due) -> sa.ColumnElement[bool]:
    how = saved_searches.c.how
    day = sa.or_(how == "daily", sa.and_(how == "instant", _too_many(due)))
    return sa.and_(
        alerted.c.told_at.is_(None),
        sa.or_(
            sa.and_(how == "instant", sa.not_(_too_many(due))),
            sa.and_(day, alerted.c.found_at < due.daily),
            sa.and_(how == "weekly", alerted.c.found_at < due.weekly),
        ),
    )


def _too_many(due: Due) -> sa.ColumnElement[bool]:
    """Whether the member had all instant messages of the last 24 hours already."""
    told = alerted.alias("told")
    count = sa.select(sa.func.count(sa.distinct(told.c.told_at))).where(
        told.c.member_id == alerted.c.member_id, told.c.told_as == "instant", told.c.told_at > due.now - _DAY
    )
    return count.correlate(alerted).scalar_subquery() >= due.a_day


async def _due_of(session: AsyncSession, member_id: UUID, due: Due) -> Sequence[Row]:
    """What is due, with the thing; what the member may no longer see is forgotten instead."""
    same = sa.and_(things.c.origin == alerted.c.origin, things.c.id == alerted.c.thing_id)
    seen = sa.and_(same, *saved.still_for(member_id, due.now))
    columns = [saved_searches.c[name] for name in ("name", "key", "how", "made_at")]
    thing = [things.c[name] for name in ("origin_name", "side", "kind", "title", "place_label", "changed_at")]
    chosen = sa.select(alerted, *columns, *thing, _too_many(due).label("too_many"))
    chosen = chosen.select_from(alerted.join(saved_searches).outerjoin(things, seen))
    chosen = chosen.where(alerted.c.member_id == member_id, _is_due(due)).with_for_update(of=alerted)
    rows = (await session.execute(chosen.order_by(things.c.changed_at.desc()))).mappings().all()
    lost = [(row["origin"], row["thing_id"]) for row in rows if row["title"] is None]
    gone = sa.tuple_(alerted.c.origin, alerted.c.thing_id).in_(lost)
    await session.execute(sa.delete(alerted).where(alerted.c.member_id == member_id, gone))
    return [row for row in rows if row["title"] is not None]


def _told_as(row: Row, due: Due) -> How:
    if row["how"] == "instant":
        return "daily" if row["too_many"] and row["found_at"] < due.daily else "instant"
    return "daily" if row["how"] == "daily" else "weekly"


async def _tell(session: AsyncSession, member_id: UUID, how: How, rows: Sequence[Row], now: datetime) -> None:
    by_search: dict[UUID, list[Row]] = {}
    for row in sorted(rows, key=lambda one: one["made_at"]):
        by_search.setdefault(row["search_id"], []).append(row)
    searches = [
        FoundBySearch(
            search_id=search_id,
            name=found[0]["name"],
            key=found[0]["key"],
            total=len(found),
            found=[_thing(row) for row in found[:MOST_LISTED]],
        )
        for search_id, found in by_search.items()
    ]
    await outbox.add(session, SearchesFound(member_id=member_id, how=how, searches=searches))
    told = sa.tuple_(alerted.c.origin, alerted.c.thing_id).in_([(row["origin"], row["thing_id"]) for row in rows])
    values = {"told_at": now, "told_as": how}
    await session.execute(sa.update(alerted).where(alerted.c.member_id == member_id, told).values(values))


def _thing(row: Row) -> FoundThing:
    return FoundThing(
        id=row["thing_id"],
        origin=None if row["origin"] == OURS else row["origin"],
        **{name: row[name] for name in ("origin_name", "side", "kind", "title", "place_label")},
    )

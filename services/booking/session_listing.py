"""Lists of sessions, by page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Person
from services.booking.domain.seating import Seating
from services.booking.queries import sessions as reading
from services.booking.tables import sessions
from services.chassis import paging


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which sessions: all that a person may see, or `mine` (a seat, a place in the list, or organised by them).

    `ends_after`: the next one first; without it, the latest first.
    """

    mine: bool = False
    ends_after: datetime | None = None
    series_id: UUID | None = None
    circle_id: UUID | None = None


async def page(
    session: AsyncSession, person: Person, wanted: Wanted, *, cursor: str | None, limit: int
) -> paging.Page[Seating]:
    """A page of `wanted` as the rules take them. Raises InvalidFields for a cursor that is not ours."""
    ascending = wanted.ends_after is not None
    found = sa.select(sessions).where(*_conditions(person, wanted))
    key = sa.tuple_(sessions.c.starts_at, sessions.c.id)
    if cursor is not None:
        after = _position(cursor)
        found = found.where(key > after if ascending else key < after)
    order = (sessions.c.starts_at, sessions.c.id)
    found = found.order_by(*(column.asc() if ascending else column.desc() for column in order))
    rows = (await session.execute(found.limit(limit + 1))).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return paging.Page[Seating].model_construct(
        items=await reading.seatings(session, rows[:limit]),
        next=paging.encode(last.starts_at.isoformat(), str(last.id)) if last else None,
    )


def _conditions(person: Person, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = [reading.visible_to(person)]
    if wanted.mine:
        conditions.append(sa.or_(sessions.c.organiser_member_id == person.id, reading.signed_up(person)))
    if wanted.ends_after is not None:
        conditions.append(sessions.c.ends_at > wanted.ends_after)
    if wanted.series_id is not None:
        conditions.append(sessions.c.series_id == wanted.series_id)
    if wanted.circle_id is not None:
        of_circle = sessions.c.audience_circle_ids.contains([wanted.circle_id])
        conditions.append(sa.or_(sessions.c.circle_id == wanted.circle_id, of_circle))
    return conditions


def _position(cursor: str) -> sa.ColumnElement[Any]:
    """Where a page ended. Raises InvalidFields for a cursor that is not ours."""
    starts_at, session_id = paging.decode(cursor, 2)
    try:
        at, last_id = datetime.fromisoformat(str(starts_at)).astimezone(UTC), UUID(str(session_id))
    except (ValueError, OverflowError):
        paging.decode("not ours", 2)
        raise
    return sa.tuple_(reading.moment(at), sa.bindparam(None, last_id, sa.Uuid))

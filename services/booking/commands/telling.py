"""Writing down what happened: the history for people, the events for other services."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingEvent, BusyChanged, Interval, Partly
from services.booking import queries
from services.booking.commands.accounts import record
from services.booking.domain.availability import last_instant
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Occupied, Span, clipped, levels, merged
from services.booking.tables import busy_to_tell, history, resources
from services.chassis import outbox
from services.chassis.database_listener import waking

BUSY_CHANNEL = "busy"
TOLD_TOGETHER = 50
LONGEST_BUSY = timedelta(days=120)
MOST_INTERVALS = 2500
"""About 180 KiB as JSON: below the size of an event (256 KiB)."""


async def tell(
    session: AsyncSession, booking: Booking, event: BookingEvent, *, by: str | None = None, what: str | None = None
) -> None:
    """Keep a line of history (and of the accounts, once it is over), and say `event`.

    `by`: the name of who did it; `what` when the status does not say it.
    """
    await session.flush()
    if booking.status in {"completed", "no_show"}:
        await record(session, booking)
    line = {"booking_id": booking.id, "at": booking.changed_at, "what": what or booking.status, "by_name": by}
    await session.execute(sa.insert(history).values(line))
    await outbox.add(session, event)


async def note(session: AsyncSession, booking_id: UUID, what: str, *, at: datetime, by: str | None = None) -> None:
    """Keep a line of history without an event: nothing that others must know has changed."""
    line = {"booking_id": booking_id, "at": at, "what": what, "by_name": by}
    await session.execute(sa.insert(history).values(line))


async def busy_changed(session: AsyncSession, *offer_ids: UUID) -> None:
    """The busy times of these resources of ours have changed: they are told soon after this transaction."""
    if not offer_ids:
        return
    await session.flush()
    rows = [{"offer_id": offer_id, "since": sa.func.clock_timestamp()} for offer_id in sorted(set(offer_ids))]
    put = insert(busy_to_tell).values(rows)
    # a mark that is there already is locked: who tells, and takes it away, waits for us and looks again
    marked = put.on_conflict_do_update(index_elements=["offer_id"], set_={"since": busy_to_tell.c.since})
    await session.execute(marked)
    await session.execute(sa.select(waking(BUSY_CHANNEL)))


async def busy_changed_by(session: AsyncSession, changed: Iterable[Booking]) -> None:
    """`changed` bookings of ours take or give back their place."""
    await busy_changed(session, *(booking.offer_id for booking in changed if booking.is_ours))


async def resources_to_tell(session: AsyncSession, most: int = TOLD_TOGETHER) -> list[UUID]:
    """Whose busy times wait to be told, the longest waiting first."""
    found = sa.select(busy_to_tell.c.offer_id).order_by(busy_to_tell.c.since).limit(most)
    return list((await session.execute(found)).scalars())


async def tell_busy(session: AsyncSession, offer_ids: Collection[UUID]) -> None:
    """Say when these resources of ours are busy from now on.

    The row lock of a resource, which every booking of it takes too, orders all this: what was written before is
    told now, what is written after asks again, and the list of the higher version is the later one.
    """
    locked = sa.select(resources.c.offer_id).where(resources.c.offer_id.in_(offer_ids)).order_by(resources.c.offer_id)
    one_by_one = locked.with_for_update(key_share=True).subquery()
    counted = (
        sa.update(resources)
        .where(resources.c.offer_id == one_by_one.c.offer_id)
        .values(busy_version=resources.c.busy_version + 1)
        .returning(*(resources.c[name] for name in _TOLD))
    )
    rows = (await session.execute(counted)).all()
    waiting = sa.delete(busy_to_tell).where(busy_to_tell.c.offer_id.in_(offer_ids)).returning(busy_to_tell.c.offer_id)
    waited = set((await session.execute(waiting)).scalars())
    rows = [row for row in rows if row.offer_id in waited]
    if rows:
        now = await queries.database_time(session)
        widest = Span(now, now + LONGEST_BUSY)
        occupied = await queries.occupied_of(session, [row.offer_id for row in rows], widest)
        await outbox.add(session, *(_busy(row, occupied[row.offer_id], now) for row in rows))


_TOLD = ("offer_id", "busy_version", "capacity", "time_zone", "horizon_days")


def _busy(row: sa.Row[Any], occupied: Sequence[Occupied], now: datetime) -> BusyChanged:
    window = Span(now, min(last_instant(ZoneInfo(row.time_zone), row.horizon_days, now), now + LONGEST_BUSY))
    parts = [(part, level) for span, level in levels(occupied) for part in clipped([span], window)]
    if len(parts) > MOST_INTERVALS:
        window = Span(now, parts[MOST_INTERVALS][0].start)
        parts = parts[:MOST_INTERVALS]
    capacity: int = row.capacity
    full = merged(span for span, level in parts if level >= capacity)
    return BusyChanged(
        offer_id=row.offer_id,
        since=window.start,
        until=window.end,
        busy=[Interval(start=span.start, end=span.end) for span in full],
        partly=tuple(Partly(start=span.start, end=span.end, taken=level) for span, level in parts if level < capacity),
        version=row.busy_version,
    )

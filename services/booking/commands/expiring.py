"""Holds, requests and changes that nobody decided in time end: by themselves, or at once in another's way (rule 8)."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.telling import busy_changed, busy_changed_by, note, tell
from services.booking.domain.booking import Booking
from services.booking.tables import bookings, changes

BATCH = 100
_OVERDUE = sa.and_(
    bookings.c.resource_origin.is_(None),
    bookings.c.status == "pending",
    bookings.c.decide_by <= sa.func.clock_timestamp(),
)


async def expire_in_the_way(session: AsyncSession, wanted: Booking) -> None:
    """Holds, requests and changes whose time is over give way to `wanted` here and now (rule 8)."""
    held = sa.delete(bookings).where(
        bookings.c.offer_id == wanted.offer_id,
        bookings.c.resource_origin.is_(None),
        bookings.c.status == "held",
        bookings.c.occupied.op("&&")(wanted.occupied),
        bookings.c.decide_by <= sa.func.clock_timestamp(),
    )
    await session.execute(held)
    blocking = (
        sa.select(Booking)
        .where(_OVERDUE, bookings.c.offer_id == wanted.offer_id, bookings.c.occupied.op("&&")(wanted.occupied))
        .order_by(bookings.c.id)
        .with_for_update()
    )
    await _expire(session, (await session.execute(blocking)).scalars().all())
    await _drop_changes(
        session,
        sa.and_(changes.c.offer_id == wanted.offer_id, changes.c.occupied.op("&&")(wanted.occupied)),
    )


async def expire_undecided(session: AsyncSession) -> int:
    """End requests for our resources whose time to be decided is over. Returns how many (a batch at the most)."""
    found = sa.select(Booking).where(_OVERDUE).order_by(bookings.c.id).limit(BATCH).with_for_update(skip_locked=True)
    ended = list((await session.execute(found)).scalars())
    await _expire(session, ended)
    await busy_changed_by(session, ended)
    return len(ended)


async def drop_expired_holds(session: AsyncSession) -> int:
    """Holds leave no trace: nobody was told of them. Returns how many."""
    over = sa.delete(bookings).where(
        bookings.c.status == "held",
        bookings.c.resource_origin.is_(None),
        bookings.c.decide_by <= sa.func.clock_timestamp(),
    )
    offer_ids = list((await session.execute(over.returning(bookings.c.offer_id))).scalars())
    await busy_changed(session, *offer_ids)
    return len(offer_ids)


async def drop_undecided_changes(session: AsyncSession) -> int:
    """A change of period that nobody decided in time is no longer asked for; the booking stays as it is."""
    return await _drop_changes(session, sa.true())


async def _expire(session: AsyncSession, ended: Iterable[Booking]) -> None:
    now = await queries.database_time(session)
    for booking in ended:
        await tell(session, booking, booking.expire(now=now))


async def _drop_changes(session: AsyncSession, which: sa.ColumnElement[bool]) -> int:
    over = sa.delete(changes).where(which, changes.c.decide_by <= sa.func.clock_timestamp())
    dropped = (await session.execute(over.returning(changes.c.booking_id, changes.c.offer_id))).all()
    now = await queries.database_time(session)
    for row in dropped:
        await note(session, row.booking_id, "change_expired", at=now)
    await busy_changed(session, *(row.offer_id for row in dropped))
    return len(dropped)

"""Holds, requests and changes that nobody decided in time end: by themselves, or at once in another's way (rule 8)."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesDeclined
from services.booking import queries
from services.booking.commands.staying import end_unanswered
from services.booking.commands.telling import busy_changed, busy_changed_by
from services.booking.commands.together import tell_each_or_together
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span
from services.booking.tables import bookings, changes

BATCH = 100
_OVERDUE = sa.and_(
    bookings.c.resource_origin.is_(None),
    bookings.c.status == "pending",
    bookings.c.decide_by <= sa.func.clock_timestamp(),
)


async def expire_in_the_way(session: AsyncSession, wanted: Booking) -> None:
    """Holds, requests and changes whose time is over give way to `wanted` here and now (rule 8)."""
    if wanted.occupied is not None:
        await expire_around(session, wanted.offer_id, wanted.occupied)


async def expire_around(session: AsyncSession, offer_id: UUID, around: Span) -> None:
    """Holds, requests and changes for our resource within `around` whose time is over end here and now (rule 8).

    What is kept for a waiting list is not meant: the line itself moves on.
    """
    held = sa.delete(bookings).where(
        bookings.c.offer_id == offer_id,
        bookings.c.resource_origin.is_(None),
        bookings.c.status == "held",
        bookings.c.waiting_id.is_(None),
        bookings.c.occupied.op("&&")(around),
        bookings.c.decide_by <= sa.func.clock_timestamp(),
    )
    dropped = (await session.execute(held.returning(bookings.c.id))).all()
    blocking = (
        sa.select(Booking)
        .where(_OVERDUE, bookings.c.offer_id == offer_id, bookings.c.occupied.op("&&")(around))
        .order_by(bookings.c.id)
        .with_for_update()
    )
    expired = await _expire(session, (await session.execute(blocking)).scalars().all())
    await end_unanswered(session, sa.and_(changes.c.offer_id == offer_id, changes.c.occupied.op("&&")(around)))
    if dropped or expired:
        await busy_changed(session, offer_id, *(booking.offer_id for booking in expired if booking.is_ours))


async def expire_undecided(session: AsyncSession) -> int:
    """End requests for our resources whose time to be decided is over. Returns how many (a batch at the most)."""
    found = sa.select(Booking).where(_OVERDUE).order_by(bookings.c.id).limit(BATCH).with_for_update(skip_locked=True)
    ended = await _expire(session, (await session.execute(found)).scalars().all())
    await busy_changed_by(session, ended)
    return len(ended)


async def drop_expired_holds(session: AsyncSession) -> int:
    """Holds leave no trace: nobody was told of them. Returns how many. What is kept for a waiting list is not meant."""
    over = sa.delete(bookings).where(
        bookings.c.status == "held",
        bookings.c.waiting_id.is_(None),
        bookings.c.resource_origin.is_(None),
        bookings.c.decide_by <= sa.func.clock_timestamp(),
    )
    offer_ids = list((await session.execute(over.returning(bookings.c.offer_id))).scalars())
    await busy_changed(session, *offer_ids)
    return len(offer_ids)


async def drop_undecided_changes(session: AsyncSession) -> int:
    """A change of period that nobody decided in time is no longer asked for; the booking stays as it is."""
    return await end_unanswered(session, sa.true())


async def _expire(session: AsyncSession, ended: Sequence[Booking]) -> list[Booking]:
    """Those that ended: `ended`, and what else waits in vain of their series."""
    now = await queries.database_time(session)
    series_ids = {booking.series_id for booking in ended if booking.series_id is not None}
    over = [booking for booking in ended if booking.series_id is None]
    if series_ids:
        waiting = sa.select(Booking).where(_OVERDUE, bookings.c.series_id.in_(series_ids)).order_by(bookings.c.id)
        over += (await session.execute(waiting.with_for_update())).scalars().all()
    as_one = partial(SeriesDeclined, expired=True)
    await tell_each_or_together(session, over, lambda one: one.expire(now=now), as_one=as_one, status="expired")
    return over

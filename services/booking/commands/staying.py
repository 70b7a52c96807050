"""A change that is not made: the bookings stay as they are, and whoever asked or was asked hears of it once."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesChangeRefused
from services.booking import queries
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.commands.together import locked_series, tell_series
from services.booking.domain.booking import Booking
from services.booking.domain.states import Side
from services.booking.tables import bookings, changes


async def drop_wishes(session: AsyncSession, its: Sequence[Booking]) -> None:
    """What was asked for these bookings of a series, and for others together with them, is not asked any more."""
    ids = [booking.id for booking in its]
    with_them = sa.select(changes.c.together).where(changes.c.booking_id.in_(ids), changes.c.together.is_not(None))
    wishes = sa.or_(changes.c.booking_id.in_(ids), changes.c.together.in_(with_them))
    await session.execute(sa.delete(changes).where(wishes))


async def stay_together(
    session: AsyncSession, its: Sequence[Booking], *, by: Side, what: str, now: datetime, name: str | None = None
) -> None:
    """These bookings of one series stay as they are. `by` system: nobody answered in time. `name`: who did it."""
    repeated = await locked_series(session, its[0].series_id) if its[0].series_id is not None else None
    if repeated is None:
        return
    events = [booking.change_refused(by=by, now=now) for booking in its]
    repeated.become(None, now=now)
    as_one = partial(SeriesChangeRefused, by=by, expired=by == "system")
    await tell_series(session, repeated, its, events, as_one=as_one, by=name, what=what)
    await busy_changed_by(session, its)


async def end_unanswered(session: AsyncSession, which: sa.ColumnElement[bool]) -> int:
    """Of the changes `which`, those that nobody answered in time end, told to both sides. Returns how many."""
    over = sa.and_(which, changes.c.decide_by <= sa.func.clock_timestamp())
    found = sa.select(changes.c.booking_id, changes.c.together).where(over).order_by(changes.c.booking_id)
    wished = {row.booking_id: row.together for row in await session.execute(found)}
    if not wished:
        return 0
    whole = sa.or_(over, changes.c.together.in_({one for one in wished.values() if one is not None}))
    gone = await session.execute(sa.delete(changes).where(whole).returning(changes.c.booking_id, changes.c.together))
    ended = {row.booking_id: row.together for row in gone}
    now = await queries.database_time(session)
    locked = sa.select(Booking).where(bookings.c.id.in_(ended)).order_by(bookings.c.id).with_for_update()
    its = list((await session.execute(locked.execution_options(populate_existing=True))).scalars())
    for booking in (one for one in its if ended[one.id] is None):
        await tell(session, booking, booking.change_refused(by="system", now=now), what="change_expired")
    for together in sorted({one for one in ended.values() if one is not None}):
        asked = [one for one in its if ended[one.id] == together]
        await stay_together(session, asked, by="system", what="change_expired", now=now)
    await busy_changed_by(session, its)
    return len(ended)

"""What happens by itself to uses: nobody comes, nobody gives back. By the database's clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.expiring import BATCH
from services.booking.commands.telling import busy_changed, busy_changed_by, tell
from services.booking.domain import use
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span
from services.booking.queries import Occupying
from services.booking.resources import Resource
from services.booking.tables import bookings, history

_AGAIN = use.AHEAD / 2
_WARNED = "start_at_risk"


async def release_no_shows(session: AsyncSession) -> int:
    """Free the places to which nobody has come. Returns how many (a batch at the most)."""
    grace = bookings.c.starts_at + sa.func.make_interval(0, 0, 0, 0, 0, bookings.c.grace_minutes)
    waiting = sa.and_(bookings.c.status == "confirmed", bookings.c.grace_minutes.is_not(None))
    begun = bookings.c.starts_at <= sa.func.now()  # said for the index
    released = await _due(session, sa.and_(waiting, begun), sa.func.least(grace, bookings.c.ends_at) <= sa.func.now())
    now = await queries.database_time(session)
    for booking in released:
        await tell(session, booking, use.release(booking, now=now))
    await busy_changed_by(session, released)
    return len(released)


async def mark_overdue(session: AsyncSession) -> int:
    """Say, once, that what is in use was not given back in time. Returns how many (a batch at the most)."""
    out = sa.and_(bookings.c.status == "in_use", bookings.c.checked_out_at.is_(None))
    late = await _due(session, out, bookings.c.ends_at <= sa.func.now())
    now = await queries.database_time(session)
    for booking in late:
        await tell(session, booking, use.miss_end(booking, now=now))
    return len(late)


async def complete_returned(session: AsyncSession) -> int:
    """Complete what was given back and whose cleaning is over. Returns how many (a batch at the most)."""
    returned = sa.and_(bookings.c.status == "in_use", bookings.c.checked_out_at.is_not(None))
    over = await _due(session, returned, sa.func.upper(bookings.c.occupied) <= sa.func.now())
    now = await queries.database_time(session)
    for booking in over:
        await tell(session, booking, booking.complete(now=now))
    return len(over)


async def hold_for_overdue(session: AsyncSession) -> int:
    """Let what is overdue keep its place a while ahead, up to the next booking; warn that one.

    Returns how many places were held longer or people warned (a batch at the most).
    """
    out = sa.and_(bookings.c.status == "overdue", bookings.c.checked_out_at.is_(None))
    ending = sa.func.upper(bookings.c.occupied) <= sa.func.now() + _AGAIN
    late = await _due(session, out, ending, order=sa.func.upper(bookings.c.occupied).desc())
    now = await queries.database_time(session)
    changed = 0
    for booking in sorted(late, key=lambda one: one.offer_id):
        resource = await queries.resource_held(session, booking.offer_id)
        changed += await _hold(session, booking, resource, now)
        changed += await _warn_next(session, booking, resource, now)
    return changed


async def room_for(
    session: AsyncSession, booking: Booking, resource: Resource | None, *, since: datetime, until: datetime
) -> datetime:
    """Let `booking` occupy what follows it, from `since` (where it ends) to `until` or the next booking.

    Returns where it ends now. The database has the last word: where it finds somebody, nothing is taken.
    """
    others = await queries.occupying_after(session, booking, Span(since, until))
    end = _reach(booking, resource, others, since, until)
    if booking.occupied is None or end <= since:
        return since
    longer = sa.update(bookings).where(bookings.c.id == booking.id)
    longer = longer.values(occupied=Span(booking.occupied.start, end))
    try:
        async with session.begin_nested():
            await session.execute(longer.execution_options(synchronize_session=False))
    except IntegrityError:
        return since
    return end


async def _hold(session: AsyncSession, booking: Booking, resource: Resource | None, now: datetime) -> int:
    held = booking.occupied.end if booking.occupied else now
    end = await room_for(session, booking, resource, since=held, until=max(held, now + use.AHEAD))
    if end <= held:
        return 0
    await busy_changed(session, booking.offer_id)
    return 1


async def _warn_next(session: AsyncSession, booking: Booking, resource: Resource | None, now: datetime) -> int:
    """Warn those whose start is where the place of `booking` cannot be kept any longer."""
    since = booking.occupied.end if booking.occupied else now
    until = max(now, since) + use.AT_RISK
    others = await queries.occupying_after(session, booking, Span(since, until))
    blocked = _reach(booking, resource, others, since, until)
    next_ones = [other.booking_id for other in others if other.span.start == blocked < until]
    told = sa.select(history.c.booking_id).where(history.c.booking_id == bookings.c.id, history.c.what == _WARNED)
    found = sa.select(Booking).where(bookings.c.id.in_(next_ones), bookings.c.status == "confirmed", ~told.exists())
    warned = list((await session.execute(found.with_for_update(skip_locked=True))).scalars())
    for one in warned:
        await tell(session, one, use.warn(one, now=now), what=_WARNED)
    return len(warned)


def _reach(
    booking: Booking, resource: Resource | None, others: Sequence[Occupying], since: datetime, until: datetime
) -> datetime:
    """How far the place of `booking` can be kept. An exclusive booking shares with nobody."""
    capacity = 1 if booking.exclusive or resource is None else resource.rules.capacity
    quantity = 1 if booking.exclusive else booking.quantity
    beside = [(other.span, capacity if booking.exclusive else other.quantity) for other in others]
    return use.reach(since, until, quantity=quantity, capacity=capacity, others=beside)


async def _due(
    session: AsyncSession, state: sa.ColumnElement[bool], due: sa.ColumnElement[bool], *, order: Any = bookings.c.id
) -> list[Booking]:
    """Bookings of ours in `state` for which it is time, locked; a batch at the most, none that another holds."""
    found = sa.select(Booking).where(bookings.c.resource_origin.is_(None), state, due)
    found = found.order_by(order).limit(BATCH).with_for_update(skip_locked=True)
    return list((await session.execute(found.execution_options(populate_existing=True))).scalars())

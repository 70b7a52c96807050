"""Waiting for a period of our resource that is taken: joining the line, accepting what is offered, leaving.

Nobody from outside the line takes what has become free before the line was asked: see `handing_out.hand_out`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.book import (
    Borrower,
    Wanted,
    bookable_offer,
    checked_resource,
    one_after_the_other,
    take,
)
from services.booking.commands.handing_out import give_back, hand_out, lock_resource
from services.booking.commands.telling import busy_changed
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.domain.requests import is_free
from services.booking.domain.waiting import AlreadyWaiting, Entry, FreeNow, NoWaitingAcrossBorder, TooManyWishes
from services.booking.queries.waiting import open_wishes, wish
from services.chassis import outbox
from services.chassis.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How many wishes of one member may wait, and how many minutes an offered place may be accepted."""

    most: int
    accept_minutes: int


async def join(
    session: AsyncSession, wanted: Wanted, *, origin: str | None, patience: Patience, by: Person, now: datetime
) -> Entry:
    """Wait for a period that is not free now. Its rules are checked; quotas when an offered place is accepted.

    Raises NoWaitingAcrossBorder, OfferUnknown, NotBookable, ResourceIsClosed, InvalidFields, NotForYou, FreeNow,
    AlreadyWaiting, TooManyWishes.
    """
    if origin is not None:
        raise NoWaitingAcrossBorder
    offer = await bookable_offer(session, wanted.offer_id, None, by=by, now=now)
    borrower = Borrower(limit=1, person=by)
    await _check_wishes(session, wanted, by=by, most=patience.most)
    await hand_out(session, offer.id)
    resource = await checked_resource(session, offer, wanted, borrower.asking_for(offer), now=now)
    occupied = await queries.occupied(session, offer.id, search_window(wanted.period))
    if is_free(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now):
        raise FreeNow
    entry = Entry(
        id=wanted.id,
        offer_id=offer.id,
        offer_title=offer.title,
        member_id=by.id,
        member_name=by.name,
        starts_at=wanted.period.start,
        ends_at=wanted.period.end,
        time_zone=resource.rules.time_zone,
        quantity=wanted.quantity,
        note=wanted.note,
        accept_minutes=patience.accept_minutes,
        created_at=now,
        changed_at=now,
    )
    session.add(entry)
    await session.flush()
    await outbox.add(session, entry.joined())
    return entry


async def accept(
    session: AsyncSession, waiting_id: UUID, *, booking_id: UUID, by: Person, limit: int, now: datetime
) -> Booking:
    """Take the place that is offered, as a booking like any other: confirmed, or pending where somebody must say yes.

    `limit`: how many requests of the member may wait. Raises NotFound, AcceptedTooLate, NothingOffered, QuotaReached,
    TooManyPending, and what the rules say by now.
    """
    await one_after_the_other(session, by.id)  # before the resource: whoever books takes these two in this order
    entry = await _mine(session, waiting_id, by)
    entry.check_may_accept(await queries.database_time(session))
    offer = await bookable_offer(session, entry.offer_id, None, by=by, now=now)
    wanted = Wanted(
        id=booking_id,
        offer_id=entry.offer_id,
        period=entry.period,
        quantity=entry.quantity,
        note=entry.note,
        hold_id=entry.booking_id,
        waiting_id=entry.id,
    )
    event = entry.accept(booking_id, now=now)
    booking = await take(session, offer, wanted, Borrower(limit=limit, person=by), now=now)
    await session.flush()
    await outbox.add(session, event)
    return booking


async def leave(session: AsyncSession, waiting_id: UUID, *, by: Person, now: datetime) -> Entry:
    """Wait no more; a place that was offered goes to the next at once. Raises NotFound, NotWaiting."""
    entry = await _mine(session, waiting_id, by)
    await outbox.add(session, entry.leave(now=now))
    await session.flush()
    await give_back(session, entry)
    await busy_changed(session, entry.offer_id)
    await hand_out(session, entry.offer_id)
    return entry


async def _mine(session: AsyncSession, waiting_id: UUID, by: Person) -> Entry:
    """The member's own wish, locked after its resource. Raises NotFound."""
    entry = await wish(session, waiting_id)
    if entry is None or entry.member_id != by.id:
        raise NotFound
    await lock_resource(session, entry.offer_id)
    locked = await wish(session, waiting_id, lock=True)
    if locked is None:
        raise NotFound
    return locked


async def _check_wishes(session: AsyncSession, wanted: Wanted, *, by: Person, most: int) -> None:
    """Two of one member at once pass here one after the other. Raises AlreadyWaiting, TooManyWishes."""
    key = sa.func.hashtextextended(f"waiting:{by.id}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    mine = await open_wishes(session, by.id)
    same = (one for one in mine if one.offer_id == wanted.offer_id and one.period.overlaps(wanted.period))
    if (other := next(same, None)) is not None:
        raise AlreadyWaiting(waiting_id=str(other.id))
    if len(mine) >= most:
        raise TooManyWishes(limit=most)

"""Holding a period while a form is open: it ends by itself, one for each member (rule 8)."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.binding import Binding
from services.booking.commands.book import Borrower, Wanted, bind_now, bookable_offer, checked_resource, new_booking
from services.booking.commands.refusing import taken
from services.booking.commands.telling import busy_changed
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.domain.problems import RulesChangedMeanwhile
from services.booking.tables import bookings


async def hold(session: AsyncSession, wanted: Wanted, *, by: Person, lasts: timedelta, now: datetime) -> Booking:
    """Keep a period of our own resource for `lasts`; it takes the place of the member's earlier hold, if any.

    Nobody is told and nothing stays of it. Raises OfferUnknown, NotBookable, ResourceIsClosed, InvalidFields,
    NotForYou, ResourceIsTaken, RulesChangedMeanwhile.
    """
    offer = await bookable_offer(session, wanted.offer_id, None, by=by, now=now)
    borrower = Borrower(limit=1, person=by)
    resource = await checked_resource(session, offer, wanted, borrower.asking_for(offer), now=now)
    given_back = await _drop(session, by=by)
    booking = new_booking(offer, wanted, borrower, resource, now)
    booking.status, booking.note = "held", ""
    booking.decide_by = min(now + lasts, wanted.period.start)
    outcome = await bind_now(session, Binding(booking=booking, under=resource.version))
    if outcome == "taken":
        raise await taken(session, offer, resource, booking, by=by, now=now)
    if outcome != "bound":
        raise RulesChangedMeanwhile
    await busy_changed(session, *given_back)
    return booking


async def release(session: AsyncSession, *, by: Person, hold_id: UUID | None = None) -> None:
    """Give back the member's hold (or `hold_id` alone); nothing happens when it is gone already.

    What is kept for a waiting list is no such hold.
    """
    await busy_changed(session, *await _drop(session, by=by, hold_id=hold_id))


async def _drop(session: AsyncSession, *, by: Person, hold_id: UUID | None = None) -> list[UUID]:
    """The resources whose hold is gone. Two holds of one member at once pass here one after the other."""
    key = sa.func.hashtextextended(f"held:{by.id}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    held = sa.delete(bookings).where(bookings.c.borrower_member_id == by.id, bookings.c.status == "held")
    held = held.where(bookings.c.waiting_id.is_(None))
    if hold_id is not None:
        held = held.where(bookings.c.id == hold_id)
    return list((await session.execute(held.returning(bookings.c.offer_id))).scalars())

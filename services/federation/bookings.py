"""Bookings across the border: our members' wishes out, our answers to guests out."""

import secrets
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingState
from contracts.border import BorderBookingWithdrawn, BorderContactShared
from contracts.notify import ContactDisclosed
from services.chassis import logs
from services.federation import tables
from services.federation.saying import link_with, say
from services.federation.shareable import booking_answer, booking_request

_log = logs.get(__name__)


class NotAskedYet(Exception):
    """A booking was called off before we heard that it was asked for. Events have no order: this one comes again."""


async def ask_or_answer(session: AsyncSession, booking: BookingState) -> None:
    """A booking waits for a decision: of the peer that owns the resource, or, for a guest's, of us.

    Raises LinkNotOpenYet.
    """
    if booking.resource_origin is None:
        await answer_guest(session, booking)
        return
    link = await link_with(session, booking.resource_origin)
    if link is None or booking.borrower.member_id is None:
        _log.warning("booking-not-sent", booking=str(booking.id), peer=booking.resource_origin)
        return
    abroad = {"booking_id": booking.id, "peer_id": booking.resource_origin}
    await session.execute(insert(tables.bookings_abroad).values(**abroad).on_conflict_do_nothing())
    name = await pseudonym(session, booking.borrower.member_id, booking.resource_origin)
    await say(session, link, booking_request(booking, name))


async def withdraw(session: AsyncSession, booking: BookingState) -> None:
    """Our member no longer wants a peer's resource. Only the peer's answer ends the booking."""
    if booking.resource_origin is None:
        return
    link = await link_with(session, booking.resource_origin)
    if link is None:
        return
    if not await _was_asked_of(session, booking.id, booking.resource_origin):
        # the event that says the request is still on its way to us: the peer must hear of it first
        await ask_or_answer(session, booking)
    await say(session, link, BorderBookingWithdrawn(booking_id=booking.id, reason=booking.reason))


async def answer_guest(session: AsyncSession, booking: BookingState, *, start_at_risk: bool = False) -> None:
    """Tell a guest's cooperative how the booking of our resource stands. Bookings of our own members stay here.

    `start_at_risk`: what the guest needs is still in use by somebody who is late.
    """
    peer_id = booking.borrower.peer_id
    if booking.resource_origin is not None or peer_id is None:
        return
    link = await link_with(session, peer_id)
    told = booking_answer(booking, start_at_risk=start_at_risk)
    if link is not None and told is not None and await _was_asked_by(session, booking.id, peer_id):
        await say(session, link, told)


async def disclose(session: AsyncSession, event: ContactDisclosed) -> None:
    """Name and address of our person in a confirmed booking go to the one peer concerned."""
    link = await link_with(session, event.peer_id)
    if link is None:
        return
    if not await _was_asked_of(session, event.booking_id, event.peer_id) and not await _was_asked_by(
        session, event.booking_id, event.peer_id
    ):
        _log.error("contact-withheld", booking=str(event.booking_id), peer=event.peer_id)
        return
    await say(session, link, BorderContactShared(booking_id=event.booking_id, name=event.name, email=event.email))


async def pseudonym(session: AsyncSession, member_id: UUID, peer_id: str) -> str:
    """How `member_id` is called towards `peer_id`: random, always the same for the two, of no use to another peer."""
    table = tables.pseudonyms
    made = insert(table).values(member_id=member_id, peer_id=peer_id, pseudonym=secrets.token_urlsafe(12))
    # an update that changes nothing: it also returns the row of a concurrent twin
    made = made.on_conflict_do_update(
        index_elements=[table.c.member_id, table.c.peer_id], set_={"pseudonym": table.c.pseudonym}
    )
    return (await session.execute(made.returning(table.c.pseudonym))).scalar_one()


async def _was_asked_of(session: AsyncSession, booking_id: UUID, peer_id: str) -> bool:
    table = tables.bookings_abroad
    query = sa.select(table.c.booking_id).where(table.c.booking_id == booking_id, table.c.peer_id == peer_id)
    return (await session.execute(query)).first() is not None


async def _was_asked_by(session: AsyncSession, booking_id: UUID, peer_id: str) -> bool:
    table = tables.guest_bookings
    query = sa.select(table.c.booking_id).where(table.c.booking_id == booking_id, table.c.peer_id == peer_id)
    return (await session.execute(query)).first() is not None

"""Bookings across the border: our members' wishes out, our answers to guests out."""

import secrets
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingEvent
from contracts.border import BorderBookingRequested, BorderContactShared
from contracts.notify import ContactDisclosed
from services.chassis import logs
from services.federation import erasing, tables
from services.federation.mending_tables import readmissions
from services.federation.saying import link_with, say
from services.federation.shareable import booking_request
from services.federation.translation import outside

_log = logs.get(__name__)


async def tell_peer(session: AsyncSession, event: BookingEvent) -> None:
    """What happened to a booking across the border: our member's wish to the peer, or our answer to a guest.

    Bookings of our own members at our own resources stay here. Raises LinkNotOpenYet.
    """
    if event.booking.resource_origin is None:
        await _answer(session, event)
    else:
        await _ask(session, event, event.booking.resource_origin)


async def _ask(session: AsyncSession, event: BookingEvent, peer_id: str) -> None:
    """Nothing of what is asked changes anything here: only the peer's answer does."""
    booking, link = event.booking, await link_with(session, peer_id)
    if link is None or booking.borrower.member_id is None:
        _log.warning("booking-not-sent", booking=str(booking.id), peer=peer_id)
        return
    name = await pseudonym(session, booking.borrower.member_id, peer_id)
    said = outside(event, name)
    if said is None:
        return
    first = insert(tables.bookings_abroad).values(booking_id=booking.id, peer_id=peer_id).on_conflict_do_nothing()
    is_first = (await session.execute(first.returning(tables.bookings_abroad.c.booking_id))).first() is not None
    if is_first and not isinstance(said, BorderBookingRequested):
        # the event that says the request is still on its way to us: the peer must hear of it first
        await say(session, link, booking_request(booking, name))
    await say(session, link, said)


async def _answer(session: AsyncSession, event: BookingEvent) -> None:
    """Tell a guest's cooperative how the booking of our resource stands."""
    peer_id = event.booking.borrower.peer_id
    if peer_id is None:
        return
    back = sa.delete(readmissions).where(readmissions.c.booking_id == event.booking.id)
    await session.execute(back.where(readmissions.c.peer_id == peer_id))
    link, said = await link_with(session, peer_id), outside(event, "")
    if link is not None and said is not None and await _was_asked_by(session, event.booking.id, peer_id):
        await say(session, link, said)


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
    if event.member_id is not None:
        await pseudonym(session, event.member_id, event.peer_id)
        await erasing.disclose(session, event.member_id, event.peer_id, event.booking_id)
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

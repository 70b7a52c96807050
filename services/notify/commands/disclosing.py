"""Contacts in bookings across the border, once confirmed: ours to the peer, the peer's to our member."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingState
from contracts.federation import ContactReceived, PersonForgotten
from contracts.notify import ContactDisclosed
from services.chassis import outbox
from services.notify.commands import people, telling
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import bookings, contacts, disclosures


class BookingNotKnownYet(LookupError):
    """A contact came before the booking that it belongs to: try again later."""


async def disclose(session: AsyncSession, booking: BookingState, *, now: datetime) -> None:
    """Say our person's contact to the peer of a confirmed booking: once, as soon as we know the address."""
    side = _our_side(booking)
    if side is None:
        return
    member_id, peer_id = side
    await people.lock(session, {member_id})
    wanted = insert(disclosures).values(booking_id=booking.id, peer_id=peer_id, member_id=member_id)
    await session.execute(wanted.on_conflict_do_nothing())
    await disclose_known(session, member_id, now=now)


async def disclose_known(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """Say what waited for the address of this member, whose lock the caller holds."""
    contact = (await session.execute(sa.select(contacts).where(contacts.c.member_id == member_id))).one_or_none()
    if contact is None:
        return
    waiting = sa.and_(disclosures.c.member_id == member_id, disclosures.c.said_at.is_(None))
    said = sa.update(disclosures).where(waiting).values(said_at=now)
    rows = (await session.execute(said.returning(disclosures.c.booking_id, disclosures.c.peer_id))).all()
    if contact.email is None:  # has left: there is nobody to meet any more
        return
    await outbox.add(
        session,
        *(
            ContactDisclosed(
                booking_id=row.booking_id,
                peer_id=row.peer_id,
                name=contact.name,
                email=contact.email,
                member_id=contact.member_id,
            )
            for row in rows
        ),
    )


async def received(session: AsyncSession, event: ContactReceived, *, now: datetime) -> None:
    """Give the peer's contact to our member of that booking. Raises BookingNotKnownYet."""
    ours_there = sa.and_(bookings.c.borrower_peer == "", bookings.c.resource_origin == event.origin)
    theirs_here = bookings.c.borrower_peer == event.origin
    query = sa.select(bookings).where(bookings.c.id == event.booking_id, sa.or_(ours_there, theirs_here))
    booking = (await session.execute(query)).one_or_none()
    if booking is None:
        raise BookingNotKnownYet(f"booking {event.booking_id} with {event.origin}")
    reader = booking.borrower_id if booking.borrower_peer == "" else booking.owner_id
    facts = {"name": event.name, "email": event.email, "origin_name": event.origin_name, "offer": booking.offer_title}
    message = Message(
        template="contact-received",
        weight=Weight.NEWS,
        about=About(type="booking", id=str(event.booking_id), origin=booking.resource_origin),
        url=f"/bookings/{event.booking_id}",
        facts=facts,
    )
    await telling.tell(session, Told(message=message, readers=frozenset({reader} if reader else ())), now=now)


async def forget_person(session: AsyncSession, gone: PersonForgotten) -> None:
    """Delete what our members were told of bookings in which they met a peer's person who has left."""
    theirs = sa.or_(bookings.c.borrower_peer == gone.origin, bookings.c.resource_origin == gone.origin)
    met = sa.select(sa.cast(bookings.c.id, sa.Text)).where(theirs, bookings.c.id.in_(gone.booking_ids))
    ids = list((await session.execute(met)).scalars())
    await telling.forget_what_was_told(session, "booking", ids)


def _our_side(booking: BookingState) -> tuple[UUID, str] | None:
    """Our person and the peer who may know them; None for a booking that crosses no border."""
    if booking.resource_origin is not None and booking.borrower.member_id is not None:
        return booking.borrower.member_id, booking.resource_origin
    if booking.resource_origin is None and booking.borrower.peer_id is not None and booking.owner.member_id is not None:
        return booking.owner.member_id, booking.borrower.peer_id
    return None

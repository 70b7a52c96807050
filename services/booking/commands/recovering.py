"""After a restore from a backup: nothing new is confirmed on shared things, and what peers hand back returns."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import BookingReadmitted, RecoveryChanged
from services.booking import queries
from services.booking.commands.binding import Binding
from services.booking.commands.book import Borrower, Wanted, bind_now, new_booking
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.spans import Span
from services.booking.tables import OURS, offers, recovery, resources
from services.chassis import logs

_NO_LIMIT = 1_000_000
_log = logs.get(__name__)


async def hold_or_go_on(session: AsyncSession, event: RecoveryChanged) -> None:
    """Hold, or stop holding, confirmations of what is shared with peers."""
    values = {"version": event.version, "recovering": event.recovering}
    newest = insert(recovery).values(id=1, **values)
    newest = newest.on_conflict_do_update(
        index_elements=["id"], set_=values, where=newest.excluded.version > recovery.c.version
    )
    if (await session.execute(newest.returning(recovery.c.id))).first() is None:
        return
    held = sa.update(resources).values(recovering=event.recovering)
    if event.recovering:
        shared = sa.select(offers.c.id).where(offers.c.origin == OURS, offers.c.scope.in_(("peers", "public")))
        held = held.where(resources.c.offer_id.in_(shared))
    await session.execute(held)


async def readmit(session: AsyncSession, handed: BookingReadmitted, *, now: datetime) -> None:
    """Take back a booking that we had confirmed and may have lost. What is here as new, or newer, stays as it is."""
    known = await queries.booking(session, handed.booking_id, lock=True)
    if known is not None:
        lost = known.borrower_peer_id == handed.origin and known.version < handed.version
        if lost and known.status == "pending" and handed.status == "confirmed":
            known.version = handed.version - 1
            await tell(session, known, known.turn("confirmed", now=now))
            await busy_changed_by(session, [known])
        return
    offer, resource = await queries.offer(session, handed.offer_id), await queries.resource(session, handed.offer_id)
    if offer is None or resource is None:
        _log.error("booking-not-readmitted", booking_id=str(handed.booking_id), reason="the offer is not known")
        return
    wanted = Wanted(
        id=handed.booking_id,
        offer_id=handed.offer_id,
        period=Span(handed.start, handed.end),
        quantity=handed.quantity,
        note=handed.note[:1000],
        decide_by=handed.decide_by,
    )
    borrower = Borrower(
        limit=_NO_LIMIT, peer_id=handed.origin, peer_name=handed.origin_name, pseudonym=handed.pseudonym
    )
    booking = new_booking(offer, wanted, borrower, resource, now)
    booking.status, booking.version = handed.status, handed.version
    booking.decide_by = handed.decide_by if handed.status == "pending" else None
    line = {"what": "booked", "by_name": None}
    binding = Binding(booking=booking, under=resource.version, event=booking.asked(), line=line)
    outcome = await bind_now(session, binding)
    if outcome != "bound":
        _log.error("booking-not-readmitted", booking_id=str(handed.booking_id), reason=outcome)

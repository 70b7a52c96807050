"""After a restore from a backup: nothing new is confirmed on shared things, and what peers hand back returns."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import BookingEndHandedBack, BookingReadmitted, RecoveryChanged
from services.booking import queries
from services.booking.commands.binding import Binding
from services.booking.commands.book import Borrower, Wanted, bind_now, new_booking, one_after_the_other
from services.booking.commands.decide import forget_change
from services.booking.commands.peers import refuse, say_again
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.booking import Booking
from services.booking.domain.problems import RulesChangedMeanwhile
from services.booking.domain.spans import Span
from services.booking.tables import OURS, offers, recovery, resources
from services.chassis import logs
from services.chassis.problems import Language, Text

_NO_LIMIT = 1_000_000
_REFUSED = {"declined", "expired"}
_PLACED = {"pending", "confirmed"}
_OVER = {*_REFUSED, "cancelled"}
_LOST = Text(
    fr="Une sauvegarde a été rétablie ici, et cette réservation n'a pas pu l'être.",
    en="A backup was restored here, and this booking could not be.",
    nl="Hier werd een back-up teruggezet, en deze reservering kon niet hersteld worden.",
)
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


async def readmit(session: AsyncSession, handed: BookingReadmitted, *, language: Language, now: datetime) -> None:
    """Take back a booking that we had confirmed and may have lost. What is here as new, or newer, stays as it is.

    What cannot be taken back (we have forgotten the thing itself, or its period is taken) is called off, and the peer
    is told why in `language`. Whatever becomes of it is said, also that nothing changed: until then the recovery goes
    on. Raises RulesChangedMeanwhile, for a later attempt.
    """
    await one_after_the_other(session, handed.origin)
    known = await queries.booking(session, handed.booking_id, lock=True)
    if known is not None:
        if known.borrower_peer_id != handed.origin:
            return
        if await _stays(session, known, handed, now=now):
            return
        await forget_change(session, known)
        await session.delete(known)
        await session.flush()
    outcome = await _take_back(session, handed, now, name=known.borrower_name if known else None)
    if outcome == "rules_changed":
        raise RulesChangedMeanwhile
    if outcome != "bound":
        _log.error("booking-not-readmitted", booking_id=str(handed.booking_id), reason=outcome)
        await refuse(session, handed, "cancelled", _LOST.say(language), now, version=handed.version + 1)


async def end_again(session: AsyncSession, handed: BookingEndHandedBack, *, now: datetime) -> None:
    """What we had declined or called off, and may hold again, is over, under the version that said so.

    What is not known here is remembered as over: its request may be on its way to us once more. For the peer an end is
    final, whatever we have said of it since we were restored: then a later version says so. Whatever becomes of it is
    said.
    """
    await one_after_the_other(session, handed.origin)
    known = await queries.booking(session, handed.booking_id, lock=True)
    if known is None:
        await refuse(session, handed, handed.status, handed.reason, now, version=handed.version)
        return
    if known.borrower_peer_id != handed.origin:
        return
    same = known.status == handed.status and known.version >= handed.version
    if same or known.status not in _PLACED | _OVER:
        await say_again(session, known)
        return
    period = Span(handed.start, handed.end) if handed.start < handed.end else known.period
    await forget_change(session, known)
    _count_on_from(known, handed)
    version = max(handed.version, known.version + 1)
    over = known.end_again(handed.status, period, handed.quantity, reason=handed.reason, version=version, now=now)
    await tell(session, known, over)
    await busy_changed_by(session, [known])


async def _stays(session: AsyncSession, known: Booking, handed: BookingReadmitted, *, now: datetime) -> bool:
    """Say how it stands. False: it was refused meanwhile, or moved since the backup, and is to be taken back anew."""
    if known.status in _REFUSED and known.version <= handed.version:
        return False  # because nothing may be confirmed meanwhile, before what we had said of it was handed back
    lost = known.version < handed.version and known.status in _PLACED
    if lost and (known.period, known.quantity) != (Span(handed.start, handed.end), handed.quantity):
        return False
    if not lost:
        await say_again(session, known)
        return True
    answered = await _catch_up(session, known, handed)
    if known.status == "pending" and handed.status == "confirmed":
        known.version = handed.version - 1
        await tell(session, known, known.turn("confirmed", now=now))
    elif answered:
        await tell(session, known, known.change_refused(by="owner", now=now), what="change_refused")
    else:
        await say_again(session, known)
        return True
    await busy_changed_by(session, [known])
    return True


async def _catch_up(session: AsyncSession, known: Booking, handed: BookingReadmitted) -> bool:
    """Number on from what the peer has heard. Returns whether a change that waits in the backup was answered since."""
    known.version = handed.version  # what we say of it from here on is newer than what the peer has heard
    waits = known.id in await queries.changes_of(session, [known.id])
    # of a proposal of ours we cannot know; the peer is told that it is over
    answered = waits and (known.proposal is not None or known.change_number <= handed.change_decided)
    if answered:
        await forget_change(session, known)
    _count_on_from(known, handed)
    return answered


def _count_on_from(booking: Booking, handed: BookingReadmitted | BookingEndHandedBack) -> None:
    """The peer's wishes and withdrawals that we had answered are not answered again."""
    booking.change_number = max(booking.change_number, handed.change_decided)
    booking.change_decided = max(booking.change_decided, handed.change_decided)
    booking.withdrawal_number = max(booking.withdrawal_number, handed.withdrawals_heard)


async def _take_back(session: AsyncSession, handed: BookingReadmitted, now: datetime, *, name: str | None) -> str:
    """Bind it as it was, for the person called `name` where that is known. Returns "bound", or what is in the way."""
    offer, resource = await queries.offer(session, handed.offer_id), await queries.resource(session, handed.offer_id)
    if offer is None or resource is None:
        return "the offer is not known"
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
    booking.borrower_name = name
    booking.status, booking.version = handed.status, handed.version
    booking.decide_by = handed.decide_by if handed.status == "pending" else None
    _count_on_from(booking, handed)
    line = {"what": "booked", "by_name": None}
    return await bind_now(session, Binding(booking=booking, under=resource.version, event=booking.asked(), line=line))

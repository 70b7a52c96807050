"""What a peer's person asks of a booking of our resource that is made: to move it, to be there, to give it back."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import (
    ChangeAnswerReceived,
    ChangeRequestReceived,
    ChangeWithdrawalReceived,
    UseReportReceived,
)
from services.booking import queries
from services.booking.commands.arrivals import arrive, give_back
from services.booking.commands.awaiting import recovery_is_young
from services.booking.commands.book import one_after_the_other
from services.booking.commands.changing import WantedChange, move_or_ask, take_new_period
from services.booking.commands.decide import forget_change
from services.booking.commands.peers import LONGEST_NOTE, say_again, sentence
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.booking import Booking
from services.booking.domain.limits import CannotChange
from services.booking.domain.problems import Recovering, RulesChangedMeanwhile
from services.booking.domain.spans import Span
from services.booking.domain.states import OPEN, proposal_of
from services.chassis import logs
from services.chassis.problems import Language, Problem

_log = logs.get(__name__)


class NotAskedYet(Exception):
    """Something is said of a booking before its request was heard. Events have no order: this one comes again."""


async def answer_change(
    session: AsyncSession, asked: ChangeRequestReceived, *, language: Language, now: datetime
) -> None:
    """Move it at once, keep the wish for who decides, or refuse with a reason (in `language`); always answered.

    Raises NotAskedYet, and Recovering for a later attempt.
    """
    booking = await _guests(session, asked)
    if booking is None:
        return
    if asked.number <= booking.change_number or booking.status not in OPEN:
        await say_again(session, booking)
        return
    booking.change_number, booking.change_reason = asked.number, None
    await forget_change(session, booking)
    wanted = WantedChange(period=Span(asked.start, asked.end), quantity=asked.quantity, note=asked.note[:LONGEST_NOTE])
    try:
        async with session.begin_nested():
            await _move(session, booking, wanted, now)
    except RulesChangedMeanwhile:
        raise  # the next attempt at this message sees the new rules
    except Problem as problem:
        if isinstance(problem, Recovering) and await recovery_is_young(session, now):
            raise
        await session.refresh(booking)
        why = sentence(problem, language)
        event = booking.change_refused(by="owner", now=now, reason=why[:LONGEST_NOTE])
        await tell(session, booking, event, what="change_refused")
    await busy_changed_by(session, [booking])


async def answer_change_withdrawal(session: AsyncSession, asked: ChangeWithdrawalReceived, *, now: datetime) -> None:
    """Forget the wish, also when it has not come yet; one that was decided before stays decided. Raises NotAskedYet."""
    booking = await _guests(session, asked)
    if booking is None or asked.number < booking.change_number:
        return  # a later wish has taken its place, and gets its own answer
    if asked.number <= booking.change_decided or booking.status not in OPEN:
        await say_again(session, booking)
        return
    booking.change_number = asked.number
    await forget_change(session, booking)
    await tell(session, booking, booking.change_refused(by="borrower", now=now), what="change_withdrawn")
    await busy_changed_by(session, [booking])


async def take_answer_to_proposal(
    session: AsyncSession, said: ChangeAnswerReceived, *, language: Language, now: datetime
) -> None:
    """A guest says yes or no to what the owner proposes; what is over, or replaced since, stays so. Raises NotAskedYet.

    A yes that cannot be any more (the rules have changed) leaves the booking, with the reason in `language`.
    """
    booking = await _guests(session, said)
    if booking is None:
        return
    proposed, change = proposal_of(booking), (await queries.changes_of(session, [booking.id])).get(booking.id)
    if proposed is None or proposed.number != said.number or change is None:
        await say_again(session, booking)
        return
    if not said.accepted:
        await forget_change(session, booking)
        await tell(session, booking, booking.change_refused(by="borrower", now=now), what="change_refused")
        await busy_changed_by(session, [booking])
        return
    try:
        async with session.begin_nested():
            await take_new_period(session, booking, change, name=None, now=now)
    except Problem as problem:
        if isinstance(problem, Recovering) and await recovery_is_young(session, now):
            raise
        await session.refresh(booking)
        await forget_change(session, booking)
        why = sentence(problem, language)[:LONGEST_NOTE]
        await tell(session, booking, booking.change_refused(by="borrower", now=now, reason=why), what="change_refused")
        await busy_changed_by(session, [booking])


async def take_use(session: AsyncSession, said: UseReportReceived, *, now: datetime) -> None:
    """A guest has come, or has given it back, by our clock; where that cannot be, they are told how it stands.

    Raises NotAskedYet.
    """
    booking = await _guests(session, said)
    if booking is None:
        return
    try:
        if said.step == "check_in":
            await arrive(session, booking, now=now, from_peer=True)
        else:
            await give_back(session, booking, now=now)
    except Problem:
        await say_again(session, booking)


async def _move(session: AsyncSession, booking: Booking, wanted: WantedChange, now: datetime) -> None:
    if booking.status not in {"pending", "confirmed"} or now >= booking.starts_at:
        raise CannotChange(booking_status=booking.status)
    await move_or_ask(session, booking, wanted, by_owner=False, name=None, now=now)


async def _guests(
    session: AsyncSession,
    said: ChangeRequestReceived | ChangeWithdrawalReceived | ChangeAnswerReceived | UseReportReceived,
) -> Booking | None:
    """The booking that a peer speaks of, locked; None when it is not theirs, or the link has ended."""
    if await queries.has_ended_with(session, said.origin):
        return None
    await one_after_the_other(session, said.origin)
    booking = await queries.booking(session, said.booking_id, lock=True)
    if booking is None:
        raise NotAskedYet(said.booking_id)
    if booking.borrower_peer_id != said.origin:
        _log.warning("booking-id-of-another", origin=said.origin, booking_id=str(said.booking_id))
        return None
    return booking

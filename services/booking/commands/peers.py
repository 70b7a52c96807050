"""Bookings that cross to another cooperative, both ways. Each of these may come late, twice, or in another order."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingCancellationRefused, BookingChangeRefused, BookingEvent, BookingMoved
from contracts.federation import (
    BookingAnswerReceived,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    PersonForgotten,
)
from services.booking import queries
from services.booking.commands.awaiting import check_awaited, recovery_is_young
from services.booking.commands.book import Borrower, Wanted, one_after_the_other, take
from services.booking.commands.changing_abroad import forget_wish
from services.booking.commands.decide import forget_change
from services.booking.commands.forgetting import FORGOTTEN
from services.booking.commands.proposals import follow_proposal, kept_proposal
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.answers import Answer
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import is_shared_with
from services.booking.domain.prices import value_from
from services.booking.domain.problems import OfferUnknown, Recovering, RulesChangedMeanwhile, TooLate
from services.booking.domain.spans import Span
from services.booking.domain.states import OPEN, Side, told
from services.booking.domain.use import is_out, warn
from services.booking.tables import bookings, changes, changes_abroad, withdrawals
from services.chassis import logs, outbox
from services.chassis.problems import InvalidFields, Language, Problem, Text

LONGEST_NOTE = 1000
LARGEST_QUANTITY = 1_000_000

_WITHDRAWN = Text(fr="La demande a été retirée.", en="The request was withdrawn.", nl="De aanvraag werd ingetrokken.")

_WHAT: dict[type[BookingEvent], str] = {
    BookingMoved: "moved",
    BookingChangeRefused: "change_refused",
    BookingCancellationRefused: "cancellation_refused",
}
_MOVABLE = {"pending", "confirmed", "cancelling"}

_log = logs.get(__name__)


async def answer_request(
    session: AsyncSession, asked: BookingRequestReceived, *, limit: int, language: Language, now: datetime
) -> None:
    """Decide on a peer's request under the rules that hold for our own members, and always say the outcome.

    A repeated request is told its state again; one that comes after the link has ended has nobody left to be told,
    and takes no place. `language`: in which a refusal gives its reason. Raises Recovering, for a later attempt, while
    a recovery is young, and RulesChangedMeanwhile.
    """
    if await queries.has_ended_with(session, asked.origin):
        _log.info("request-after-the-link-ended", origin=asked.origin, booking_id=str(asked.booking_id))
        return
    await check_awaited(session, asked, now=now)
    await one_after_the_other(session, asked.origin)
    known = await queries.booking(session, asked.booking_id, lock=True)
    if known is not None:
        if known.borrower_peer_id != asked.origin:
            _log.warning("booking-id-of-another", origin=asked.origin, booking_id=str(asked.booking_id))
            return
        await say_again(session, known)
        return
    withdrawn = await _withdrawal(session, asked.origin, asked.booking_id)
    if withdrawn is not None:
        await refuse(session, asked, "cancelled", withdrawn.reason or _WITHDRAWN.say(language), now)
        return
    try:
        async with session.begin_nested():
            await _take_for_peer(session, asked, limit=limit, now=now)
    except RulesChangedMeanwhile:
        raise  # the next attempt at this message sees the new rules
    except Recovering as recovering:
        if await recovery_is_young(session, now):
            raise
        await refuse(session, asked, "declined", sentence(recovering, language), now)
    except TooLate as late:
        await refuse(session, asked, "expired", late.text.say(language), now)
    except Problem as problem:
        await refuse(session, asked, "declined", sentence(problem, language), now)


async def answer_withdrawal(session: AsyncSession, asked: BookingWithdrawalReceived, *, now: datetime) -> None:
    """A peer's person calls it off. Remembered when the request itself has not come yet."""
    await one_after_the_other(session, asked.origin)
    booking = await queries.booking(session, asked.booking_id, lock=True)
    if booking is None:
        values = {"origin": asked.origin, "booking_id": asked.booking_id, "reason": _cut(asked.reason), "at": now}
        await session.execute(insert(withdrawals).values(values).on_conflict_do_nothing())
        return
    if booking.borrower_peer_id != asked.origin:
        return
    if 0 < asked.number <= booking.withdrawal_number or booking.status not in OPEN:
        await say_again(session, booking)
        return
    booking.withdrawal_number = max(asked.number, booking.withdrawal_number)
    if not booking.may_be_cancelled(now) or not booking.is_within_notice(now):
        await tell(session, booking, booking.cancellation_refused(now=now), what="cancellation_refused")
        return
    await tell(session, booking, booking.cancel(by="borrower", reason=_cut(asked.reason), now=now))
    await forget_change(session, booking)
    await busy_changed_by(session, [booking])


async def take_answer(session: AsyncSession, answer: BookingAnswerReceived, *, now: datetime) -> None:
    """The peer has said how our member's booking stands. Older and repeated answers change nothing."""
    booking = await queries.booking(session, answer.booking_id, lock=True)
    if booking is None or booking.resource_origin != answer.origin or answer.version <= booking.remote_version:
        return
    booking.remote_version = answer.version
    booking.checked_in_at, booking.checked_out_at = _used(answer)
    booking.told_value = value_from(answer.value)
    booking.change_decided = min(answer.change_decided, booking.change_number)
    if answer.status == "confirmed":
        booking.owner_name = answer.owner_name or booking.owner_name
        booking.place_label = answer.place_label or booking.place_label
        booking.instructions = _cut(answer.instructions) or booking.instructions
    period = Span(answer.start, answer.end) if answer.start < answer.end else booking.period
    proposed = await kept_proposal(session, booking)
    said = Answer(
        moved_by="owner" if proposed is not None and proposed.accepted else "borrower",
        status=answer.use or answer.status,
        period=period,
        quantity=answer.quantity or booking.quantity,
        reason=_cut(answer.reason),
        withdrawals_heard=answer.withdrawals_heard,
    )
    event = booking.follow(said, now=now) or await _decided(session, booking, answer, now)
    if event is not None:
        await tell(session, booking, event, what=_WHAT.get(type(event)))
    elif answer.start_at_risk and booking.status == "confirmed":
        await tell(session, booking, warn(booking, now=now), what="start_at_risk")
    if booking.change_number and (booking.change_decided == booking.change_number or booking.status not in _MOVABLE):
        await forget_wish(session, booking)
    await follow_proposal(session, booking, answer, proposed, is_told=event is not None, now=now)


async def _decided(
    session: AsyncSession, booking: Booking, answer: BookingAnswerReceived, now: datetime
) -> BookingEvent | None:
    """The wish to move it is decided, and it stays as it is; None when nothing was wished, or it still waits."""
    waiting = (await queries.changes_of(session, [booking.id])).get(booking.id) if booking.change_number else None
    if waiting is None or waiting.by_owner or booking.change_decided < waiting.number or booking.status not in OPEN:
        return None
    side: Side = "borrower" if waiting.withdrawn else "owner"
    return booking.change_refused(by=side, now=now, reason=_cut(answer.change_reason))


async def learn_contact(session: AsyncSession, *, origin: str, booking_id: UUID, name: str) -> None:
    """The other person of a booking across the border is known by name now."""
    booking = await queries.booking(session, booking_id, lock=True)
    if booking is None:
        return
    if booking.borrower_peer_id == origin:
        booking.borrower_name = name
    elif booking.resource_origin == origin:
        booking.owner_name = name


async def forget_person(session: AsyncSession, gone: PersonForgotten) -> None:
    """A peer's person has left: what they borrowed and lent stays as numbers, without name and words."""
    theirs = sa.and_(bookings.c.borrower_peer_id == gone.origin, bookings.c.borrower_pseudonym == gone.pseudonym)
    borrowed = {"borrower_name": None, "note": "", "reason": None, "change_reason": None}
    await session.execute(sa.update(bookings).where(theirs).values(borrowed))
    of_them = sa.select(bookings.c.id).where(theirs)
    await session.execute(sa.update(changes).where(changes.c.booking_id.in_(of_them)).values(note=""))
    told = sa.and_(withdrawals.c.origin == gone.origin, withdrawals.c.booking_id.in_(of_them))
    await session.execute(sa.update(withdrawals).where(told).values(reason=None))
    lent = sa.and_(bookings.c.resource_origin == gone.origin, bookings.c.id.in_(gone.booking_ids))
    theirs_too = {"owner_name": FORGOTTEN, "reason": None, "change_reason": None}
    await session.execute(sa.update(bookings).where(lent).values(theirs_too))


async def end_with_peer(session: AsyncSession, peer_id: str, *, now: datetime) -> None:
    """The link has ended: what is still open between us is called off; what is in use or over is completed."""
    between = sa.or_(bookings.c.resource_origin == peer_id, bookings.c.borrower_peer_id == peer_id)
    found = sa.select(Booking).where(between, bookings.c.status.in_(OPEN)).order_by(bookings.c.id).with_for_update()
    ended = list((await session.execute(found)).scalars())
    for booking in ended:
        booking.checked_out_at = now if is_out(booking) else booking.checked_out_at
        over = booking.status in {"in_use", "overdue"} or (booking.status == "confirmed" and booking.ends_at <= now)
        event = booking.complete(now=now) if over else booking.end(now=now)
        await tell(session, booking, event)
    for waiting in (changes, changes_abroad):
        of_them = waiting.c.booking_id.in_([booking.id for booking in ended])
        await session.execute(sa.delete(waiting).where(of_them))
    await busy_changed_by(session, ended)


async def _take_for_peer(session: AsyncSession, asked: BookingRequestReceived, *, limit: int, now: datetime) -> None:
    offer = await queries.offer(session, asked.offer_id)
    if offer is None or not is_shared_with(offer, asked.origin, now):
        raise OfferUnknown
    if await queries.database_time(session) >= asked.decide_by:
        raise TooLate
    wanted = Wanted(
        id=asked.booking_id,
        offer_id=asked.offer_id,
        period=Span(asked.start, asked.end),
        quantity=asked.quantity,
        note=asked.note[:LONGEST_NOTE],
        decide_by=asked.decide_by,
    )
    borrower = Borrower(limit=limit, peer_id=asked.origin, peer_name=asked.origin_name, pseudonym=asked.pseudonym)
    await take(session, offer, wanted, borrower, now=now)


async def refuse(
    session: AsyncSession,
    asked: BookingRequestReceived,
    status: str,
    reason: str | None,
    now: datetime,
    *,
    version: int = 1,
) -> None:
    """Keep the refusal, so that a repeated request gets the same answer; without what the person wrote."""
    offer = await queries.offer(session, asked.offer_id)
    shared = offer is not None and is_shared_with(offer, asked.origin, now)
    resource = await queries.resource(session, asked.offer_id) if shared else None
    backwards = asked.end <= asked.start
    values = {
        "id": asked.booking_id,
        "offer_id": asked.offer_id,
        "offer_title": offer.title if offer is not None and shared else "",
        "borrower_peer_id": asked.origin,
        "borrower_peer_name": asked.origin_name,
        "borrower_pseudonym": asked.pseudonym,
        "owner_member_id": offer.owner_member_id if offer is not None and shared else None,
        "starts_at": asked.start,
        "ends_at": asked.end,
        "exclusive": True,
        "time_zone": resource.rules.time_zone if resource else "UTC",
        "quantity": min(max(asked.quantity, 1), LARGEST_QUANTITY),
        "note": "",
        "status": "declined" if backwards else status,
        "reason": reason,
        "remote_version": 0,
        "version": version,
        "created_at": now,
        "changed_at": now,
    }
    await session.execute(sa.insert(bookings).values(values))
    refused = await queries.booking(session, asked.booking_id)
    if refused is not None:
        await tell(session, refused, told(refused, by="borrower"))


async def say_again(session: AsyncSession, booking: Booking) -> None:
    """Say the state as it is, with no new version: whoever acts once per change has acted."""
    await outbox.add(session, told(booking, by="borrower"))


async def _withdrawal(session: AsyncSession, origin: str, booking_id: UUID) -> sa.Row[tuple[str | None]] | None:
    found = sa.select(withdrawals.c.reason).where(
        withdrawals.c.origin == origin, withdrawals.c.booking_id == booking_id
    )
    return (await session.execute(found)).first()


def sentence(problem: Problem, language: Language) -> str:
    """What a peer's person is told of `problem`."""
    if isinstance(problem, InvalidFields):
        return " ".join(error.say(language)["detail"] for error in problem.errors)
    return str(problem.body(language, "")["detail"])


def _used(answer: BookingAnswerReceived) -> tuple[datetime | None, datetime | None]:
    """When people came and went, as the peer noted it; times that cannot be are left out."""
    came, went = answer.checked_in_at, answer.checked_out_at
    return (came, went) if came is None or went is None or came <= went else (None, None)


def _cut(reason: str | None) -> str | None:
    return reason[:LONGEST_NOTE] if reason else None

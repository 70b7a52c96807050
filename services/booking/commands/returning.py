"""What our members had asked of peers before a restore from a backup, and we had forgotten: it returns as theirs."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import BookingAnswerReceived, BookingHandedBack
from services.booking import queries
from services.booking.commands.book import Borrower, Wanted, new_booking
from services.booking.commands.peers import LARGEST_QUANTITY, LONGEST_NOTE, take_answer
from services.booking.commands.telling import note, tell
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.domain.spans import Span
from services.booking.domain.states import told
from services.booking.queries.underneath import has_left
from services.chassis import outbox
from services.chassis.problems import Language, Text

COPY_IS_AWAITED = timedelta(minutes=1)
"""Messages overtake each other: the copy of the offer may be on its way so long."""

_GONE = Text(
    fr="Offre qui n'est plus partagée", en="Offer that is no longer shared", nl="Aanbod dat niet meer gedeeld wordt"
)


class CopyNotHereYet(LookupError):
    """The offer that was booked is not known yet: try again later."""


async def take_back(
    session: AsyncSession, handed: BookingHandedBack, *, said_at: datetime, language: Language, now: datetime
) -> None:
    """Know again of our member's booking of a peer's resource, as it stands there; what is known here learns that.

    Of somebody who has left it is called off at once. `said_at`: when federation said so (UTC). `language`: of the
    title where the offer itself is gone. Raises CopyNotHereYet, for a later attempt.
    """
    if await queries.has_ended_with(session, handed.origin):
        return
    booking = await queries.booking(session, handed.booking_id, lock=True)
    is_new = booking is None
    if booking is None:
        booking = await _as_asked(session, handed, said_at=said_at, language=language, now=now)
        session.add(booking)
        await session.flush()
        await note(session, booking.id, "requested", at=now, by=booking.borrower_name)
    elif booking.resource_origin != handed.origin:
        return
    if handed.answer is not None:
        _count_on_from(booking, handed.answer)
        await take_answer(session, handed.answer, now=now)
    if is_new and booking.status == "pending":
        await outbox.add(session, told(booking))
    if is_new and booking.may_be_cancelled(now) and await has_left(session, handed.member_id):
        await tell(session, booking, booking.cancel(by="borrower", reason=None, now=now))


def _count_on_from(booking: Booking, answer: BookingAnswerReceived) -> None:
    """What we count, and had counted further than we know: the peer has heard up to there, and calendars, too."""
    booking.change_number = max(booking.change_number, answer.change_decided)
    booking.withdrawal_number = max(booking.withdrawal_number, answer.withdrawals_heard)
    said = answer.version + answer.change_decided + answer.withdrawals_heard
    booking.version = max(booking.version, said)


async def _as_asked(
    session: AsyncSession, handed: BookingHandedBack, *, said_at: datetime, language: Language, now: datetime
) -> Booking:
    person = await queries.member(session, handed.member_id)
    borrower = Borrower(limit=0, person=person or Person(id=handed.member_id, name="", role="member"))
    wanted = Wanted(
        id=handed.booking_id,
        offer_id=handed.offer_id,
        period=Span(handed.start, handed.end),
        quantity=min(max(handed.quantity, 1), LARGEST_QUANTITY),
        note=handed.note[:LONGEST_NOTE],
    )
    offer = await queries.offer(session, handed.offer_id, handed.origin)
    resource = await queries.resource(session, handed.offer_id, handed.origin)
    if offer is not None and resource is not None:
        booking = new_booking(offer, wanted, borrower, resource, now)
    elif now - said_at < COPY_IS_AWAITED:
        raise CopyNotHereYet(str(handed.offer_id))
    else:
        booking = _of_something_gone(handed, wanted, borrower, _GONE.say(language), now)
    booking.decide_by, booking.borrower_name = handed.decide_by, borrower.name or None
    return booking


def _of_something_gone(
    handed: BookingHandedBack, wanted: Wanted, borrower: Borrower, title: str, now: datetime
) -> Booking:
    return Booking(
        id=wanted.id,
        offer_id=wanted.offer_id,
        offer_title=title,
        resource_origin=handed.origin,
        origin_name=handed.origin_name,
        borrower_member_id=handed.member_id,
        borrower_name=borrower.name,
        borrower_peer_id=None,
        borrower_peer_name=None,
        borrower_pseudonym=None,
        owner_member_id=None,
        owner_name=None,
        starts_at=wanted.period.start,
        ends_at=wanted.period.end,
        occupied=wanted.period,
        exclusive=True,
        time_zone="UTC",
        place_label=None,
        quantity=wanted.quantity,
        note=wanted.note,
        status="pending",
        reason=None,
        decide_by=None,
        remote_version=0,
        version=1,
        created_at=now,
        changed_at=now,
    )

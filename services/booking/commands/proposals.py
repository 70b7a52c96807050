"""What the owner of a peer's resource proposes to our member: another time, to which they say yes or no."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import Proposal
from contracts.federation import BookingAnswerReceived
from services.booking.commands.changing_abroad import keep
from services.booking.commands.telling import note, tell
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change
from services.booking.domain.deciding import Person
from services.booking.domain.spans import Span
from services.booking.domain.states import Side
from services.booking.tables import changes_abroad
from services.chassis import outbox

LONGEST_NOTE = 1000
_ANSWERS = {True: "change_accepted", False: "change_declined"}


async def kept_proposal(session: AsyncSession, booking: Booking) -> Change | None:
    """What our member is asked to agree to, also when its time is over; None while a wish of theirs has its place."""
    its = sa.and_(changes_abroad.c.booking_id == booking.id, changes_abroad.c.by_owner)
    row = (await session.execute(sa.select(changes_abroad).where(its))).first()
    if row is None:
        return None
    return Change(
        period=Span(row.starts_at, row.ends_at),
        quantity=row.quantity,
        note=row.note,
        by_owner=True,
        decide_by=row.decide_by,
        number=row.number,
        accepted=row.accepted,
    )


async def follow_proposal(
    session: AsyncSession,
    booking: Booking,
    answer: BookingAnswerReceived,
    kept: Change | None,
    *,
    is_told: bool,
    now: datetime,
) -> None:
    """Show our member what the peer proposes now, and no longer what it does not propose any more.

    `kept`: what it proposed before. `is_told`: they hear already what else the peer has said. While a wish of theirs is
    not decided, there is no proposal: the wish takes its place at the peer, too.
    """
    proposed = answer.proposal if booking.status == "confirmed" else None
    if proposed is None:
        if kept is not None:
            await _end(session, booking, kept, answer.change_reason, is_told=is_told, now=now)
        return
    wishes = booking.change_number > booking.change_decided
    if wishes or (kept is not None and kept.number == proposed.number):
        return
    change = _change(proposed)
    await keep(session, booking, change, now)
    await tell(session, booking, booking.change_asked(change.state(), now=now), what="change_asked")


async def answer_proposal(
    session: AsyncSession, booking: Booking, change: Change, *, accepted: bool, by: Person, now: datetime
) -> None:
    """Say yes or no to the peer, whose database decides whether a yes can still be: the booking stays until then."""
    its = changes_abroad.c.booking_id == booking.id
    await session.execute(sa.update(changes_abroad).where(its).values(accepted=accepted))
    await note(session, booking.id, _ANSWERS[accepted], at=now, by=by.name)
    await outbox.add(session, booking.change_answered(change.state(), accepted=accepted))


async def _end(
    session: AsyncSession, booking: Booking, kept: Change, reason: str | None, *, is_told: bool, now: datetime
) -> None:
    """It is decided, withdrawn or over. Told where nothing else is, and our member has not said no themselves."""
    its = sa.and_(changes_abroad.c.booking_id == booking.id, changes_abroad.c.by_owner)
    await session.execute(sa.delete(changes_abroad).where(its))
    if is_told or booking.status != "confirmed":
        return
    by: Side = "owner"
    if kept.accepted is False:
        by = "borrower"
    elif kept.accepted is None and now >= kept.decide_by:
        by = "system"
    what = {"borrower": "change_refused", "owner": "change_withdrawn", "system": "change_expired"}[by]
    why = reason[:LONGEST_NOTE] if reason else None
    await tell(session, booking, booking.change_refused(by=by, now=now, reason=why), what=what)


def _change(proposed: Proposal) -> Change:
    return Change(
        period=Span(proposed.start, proposed.end),
        quantity=proposed.quantity,
        note=proposed.note[:LONGEST_NOTE],
        by_owner=True,
        decide_by=proposed.decide_by,
        number=proposed.number,
    )

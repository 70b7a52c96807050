"""Asking a peer to move a booking of its resource: the booking stays as it is until the peer has answered."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.telling import note, tell
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change
from services.booking.domain.deciding import Person
from services.booking.domain.problems import LinkNotOpen, NotBookable
from services.booking.domain.requests import check_request, decide_by
from services.booking.domain.spans import Span
from services.booking.tables import changes_abroad
from services.chassis import outbox


async def ask_peer_to_change(
    session: AsyncSession, booking: Booking, period: Span, *, quantity: int, text: str, by: Person, now: datetime
) -> None:
    """Our copy of the rules tells plain mistakes at once; the peer decides, and alone knows what is free beside it.

    A later wish takes the place of an earlier one. Raises LinkNotOpen, NotBookable, InvalidFields.
    """
    origin = booking.resource_origin or ""
    if not await queries.is_linked(session, origin, hold=True):
        raise LinkNotOpen
    resource = await queries.resource(session, booking.offer_id, origin)
    if resource is None:
        raise NotBookable
    check_request(resource.rules, period, quantity=quantity, now=now)
    booking.change_number += 1
    booking.change_reason = None
    until = min(decide_by(resource.rules, period, now), booking.starts_at)
    change = Change(
        period=period, quantity=quantity, note=text, by_owner=False, decide_by=until, number=booking.change_number
    )
    await keep(session, booking, change, now)
    await tell(session, booking, booking.change_asked(change.state(), now=now), by=by.name, what="change_asked")


async def ask_peer_to_forget_change(
    session: AsyncSession, booking: Booking, change: Change, *, by: Person, now: datetime
) -> None:
    """No longer ask for `change`; where the peer has said yes in the meantime, the booking moves all the same."""
    its = changes_abroad.c.booking_id == booking.id
    await session.execute(sa.update(changes_abroad).where(its).values(withdrawn=True))
    await note(session, booking.id, "change_withdrawal_asked", at=now, by=by.name)
    await outbox.add(session, booking.change_withdrawal_asked(change.state()))


async def forget_wish(session: AsyncSession, booking: Booking) -> None:
    """What was asked of the peer, once it has answered, or nobody is left to answer."""
    wish = sa.and_(changes_abroad.c.booking_id == booking.id, sa.not_(changes_abroad.c.by_owner))
    await session.execute(sa.delete(changes_abroad).where(wish))


async def keep(session: AsyncSession, booking: Booking, change: Change, now: datetime) -> None:
    """In place of what was asked for before."""
    values = {
        "number": change.number,
        "starts_at": change.period.start,
        "ends_at": change.period.end,
        "quantity": change.quantity,
        "note": change.note,
        "decide_by": change.decide_by,
        "asked_at": now,
        "withdrawn": False,
        "by_owner": change.by_owner,
        "accepted": None,
    }
    kept = insert(changes_abroad).values(booking_id=booking.id, **values)
    await session.execute(kept.on_conflict_do_update(index_elements=["booking_id"], set_=values))

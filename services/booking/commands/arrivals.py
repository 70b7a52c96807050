"""Arriving and leaving. By the database's clock, as the sweeper that ends the wait."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import UseStep
from services.booking import queries
from services.booking.commands.overdue import room_for
from services.booking.commands.telling import busy_changed, note, tell
from services.booking.domain import use
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person, may_read
from services.booking.domain.problems_of_use import NotInUse, TooManyCodes, WrongCode
from services.booking.resources import Resource
from services.booking.tables import changes
from services.chassis import outbox
from services.chassis.problems import NotFound, Problem

CODE_DIGITS = 6


def asked_on_arrival(resource: Resource, *, here: bool) -> dict[str, Any]:
    """What a new booking of `resource` asks of who arrives: the grace and, `here`, a code of its own."""
    if resource.check_in == "none":
        return {}
    if not here:
        return {"grace_minutes": resource.grace_minutes}
    return {"grace_minutes": resource.grace_minutes, "check_in_code": f"{secrets.randbelow(10**CODE_DIGITS):06}"}


async def check_in(
    session: AsyncSession, booking_id: UUID, *, code: str | None, by: Person
) -> tuple[Booking, Problem | None]:
    """Note that the borrower has come: said by the borrower, the owner, a coordinator, or whoever has the code.

    At a peer's resource the borrower lets the peer know.

    Returns the booking and, for a code that opens nothing, the problem to raise once the attempt is counted.
    Raises NotFound, NoCheckIn, AlreadyArrived, TooEarly, TooLateToArrive, NotInUse.
    """
    booking = await queries.booking(session, booking_id, lock=True)
    if booking is None:
        raise NotFound
    if code is not None:
        problem = _try_code(booking, code, known=may_read(booking, by))
        if problem is not None:
            return booking, problem
    elif not may_read(booking, by):
        raise NotFound
    if not booking.is_ours:
        await _tell_peer(session, booking, "check_in", by=by)
        return booking, None
    now = await queries.database_time(session)
    await arrive(session, booking, now=now, by=by.name, by_code=code is not None)
    return booking, None


async def check_out(session: AsyncSession, booking_id: UUID, *, by: Person) -> Booking:
    """Note that it is given back; what is left of the period can be booked at once. Raises NotFound, NotInUse."""
    booking = await queries.booking(session, booking_id, lock=True)
    if booking is None or not may_read(booking, by):
        raise NotFound
    if not booking.is_ours:
        await _tell_peer(session, booking, "check_out", by=by)
        return booking
    await give_back(session, booking, now=await queries.database_time(session), by=by.name)
    return booking


async def arrive(
    session: AsyncSession,
    booking: Booking,
    *,
    now: datetime,
    by: str | None = None,
    by_code: bool = False,
    from_peer: bool = False,
) -> None:
    """The borrower of our resource has come. Raises NoCheckIn, AlreadyArrived, TooEarly, TooLateToArrive, NotInUse."""
    event = use.check_in(booking, now=now, early=use.CLOCKS_DIFFER if from_peer else timedelta(0))
    await session.execute(sa.delete(changes).where(changes.c.booking_id == booking.id))
    await tell(session, booking, event, by=by, what="in_use_by_code" if by_code else "in_use")


async def give_back(session: AsyncSession, booking: Booking, *, now: datetime, by: str | None = None) -> None:
    """Our resource is back; what is left of the period can be booked at once. Raises NotInUse."""
    if not use.is_out(booking):
        raise NotInUse(booking_status=booking.status)
    resource = await queries.resource_held(session, booking.offer_id)
    until = await _occupied_until(session, booking, resource, now)
    event = use.check_out(booking, occupied_until=until, now=now)
    await tell(session, booking, event, by=by, what="returned" if booking.status == "in_use" else None)
    await busy_changed(session, booking.offer_id)


async def _tell_peer(session: AsyncSession, booking: Booking, step: UseStep, *, by: Person) -> None:
    """Let the peer know; nothing changes here before it has answered. Raises NotFound and what `use.report` does."""
    if booking.borrower_member_id != by.id:
        raise NotFound
    now = await queries.database_time(session)
    event = use.report(booking, step, now=now)
    await note(session, booking.id, f"{step}_asked", at=now, by=by.name)
    await outbox.add(session, event)


def _try_code(booking: Booking, code: str, *, known: bool) -> Problem | None:
    """None when `code` opens `booking`. To people who are not `known` there, a booking does not show itself."""
    if booking.check_in_code is None:
        return None if known else NotFound()
    if booking.wrong_codes >= use.MOST_WRONG_CODES:
        return TooManyCodes() if known else NotFound()
    if secrets.compare_digest(booking.check_in_code.encode(), code.encode()):
        return None
    booking.wrong_codes += 1
    return WrongCode() if known else NotFound()


async def _occupied_until(
    session: AsyncSession, booking: Booking, resource: Resource | None, now: datetime
) -> datetime:
    """The end of what comes after a use that ends now; never into what others have booked."""
    usual = resource.rules.buffer_after if resource else timedelta(0)
    wanted = now + use.buffer_after(booking, usual)
    held = booking.occupied.end if booking.occupied else wanted
    if wanted <= held:
        return wanted
    return await room_for(session, booking, resource, since=held, until=wanted)

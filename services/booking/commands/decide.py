"""Approving, declining and cancelling."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Approval
from services.booking import queries
from services.booking.commands.telling import tell, tell_all_busy
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking, Side
from services.booking.domain.deciding import Person, is_shared_with, may_cancel, may_decide, may_read, may_see
from services.booking.domain.problems import CannotCancel, NoLongerShared, NotBookable, NotYourDecision
from services.booking.domain.requests import check_request
from services.chassis.problems import NotFound


async def approve(session: AsyncSession, booking_id: UUID, *, by: Person) -> Booking:
    """Confirm a request. The rules are checked again, as they are now (rule 3), by the database's clock.

    Raises NotFound, NotYourDecision, AlreadyDecided, TooLate, InvalidFields, ResourceIsTaken, NoLongerShared.
    """
    booking = await _to_decide(session, booking_id, by)
    now = await queries.database_time(session)
    event = booking.confirm(now=now)
    await _check_rules_again(session, booking, now)
    await tell(session, booking, event, by=by.name)
    await tell_all_busy(session, [booking], now)
    return booking


async def decline(session: AsyncSession, booking_id: UUID, *, reason: str | None, by: Person) -> Booking:
    """Refuse a request. Raises NotFound, NotYourDecision, AlreadyDecided."""
    booking = await _to_decide(session, booking_id, by)
    now = await queries.database_time(session)
    await tell(session, booking, booking.decline(reason=reason, now=now), by=by.name)
    await tell_all_busy(session, [booking], now)
    return booking


async def cancel(session: AsyncSession, booking_id: UUID, *, reason: str | None, by: Person, now: datetime) -> Booking:
    """Call a booking off; at a peer's resource, ask the peer to. Raises NotFound, CannotCancel."""
    booking = await _readable(session, booking_id, by)
    if not may_cancel(booking, by, now):
        raise CannotCancel(booking_status=booking.status)
    side: Side = "borrower" if booking.borrower_member_id == by.id else "owner"
    await tell(session, booking, booking.cancel(by=side, reason=reason, now=now), by=by.name)
    await tell_all_busy(session, [booking], now)
    return booking


async def approval_of(session: AsyncSession, booking: Booking) -> Approval:
    """How requests for the booking's resource are decided."""
    found = await queries.approvals_of(session, {booking.offer_id})
    return found.get(booking.offer_id, "coordinator")


async def _readable(session: AsyncSession, booking_id: UUID, by: Person) -> Booking:
    booking = await queries.booking(session, booking_id, lock=True)
    if booking is None or not may_read(booking, by):
        raise NotFound
    return booking


async def _to_decide(session: AsyncSession, booking_id: UUID, by: Person) -> Booking:
    booking = await _readable(session, booking_id, by)
    if not may_decide(booking, by, await approval_of(session, booking)):
        raise NotYourDecision
    return booking


async def _check_rules_again(session: AsyncSession, booking: Booking, now: datetime) -> None:
    """The period against the rules as they are now. A closed or withdrawn resource keeps its requests: no new ones."""
    resource = await queries.resource(session, booking.offer_id)
    if resource is None:
        raise NotBookable
    occupied = await queries.occupied(session, booking.offer_id, search_window(booking.period), excluding=booking.id)
    check_request(resource.rules, booking.period, quantity=booking.quantity, occupied=occupied, now=now)
    await _check_still_shared(session, booking, now)


async def _check_still_shared(session: AsyncSession, booking: Booking, now: datetime) -> None:
    offer = await queries.offer(session, booking.offer_id)
    if offer is None or not offer.published:
        return
    if booking.borrower_peer_id is not None:
        visible = is_shared_with(offer, booking.borrower_peer_id, now)
    else:
        person = await queries.member(session, booking.borrower_member_id) if booking.borrower_member_id else None
        visible = person is not None and may_see(offer, person, now)
    if not visible:
        raise NoLongerShared

"""Approving, declining and cancelling."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Approval
from services.booking import queries
from services.booking.commands.quotas import check_quotas
from services.booking.commands.refusing import taken
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import (
    Person,
    is_shared_with,
    may_cancel,
    may_read,
    may_see,
    would_decide,
)
from services.booking.domain.eligibility import Asking, check_may_ask
from services.booking.domain.limits import NoticeIsOver
from services.booking.domain.occurrences import rules_once_asked
from services.booking.domain.problems import CannotCancel, NoLongerShared, NotBookable, NotYourDecision, Recovering
from services.booking.domain.requests import check_request, is_free
from services.booking.domain.states import Side
from services.booking.resources import Resource
from services.booking.tables import changes
from services.chassis.problems import NotFound


async def approve(session: AsyncSession, booking_id: UUID, *, by: Person) -> Booking:
    """Say yes to a request; confirmed once enough have. Its rules are checked again by the database's clock (rule 3).

    Raises NotFound, NotYourDecision, AlreadyDecided, TooLate, InvalidFields, ResourceIsTaken, NoLongerShared,
    QuotaReached, NotForYou.
    """
    booking = await _to_decide(session, booking_id, by)
    now = await queries.database_time(session)
    resource = await queries.resource(session, booking.offer_id)
    if resource is None:
        raise NotBookable
    if resource.recovering:
        raise Recovering
    event = booking.confirm(now=now, by=by.id, needed=resource.terms.approvals_needed)
    await _check_rules_again(session, booking, resource, now)
    what = "approved_first" if booking.status == "pending" else None
    await tell(session, booking, event, by=by.name, what=what)
    await busy_changed_by(session, [booking])
    return booking


async def decline(session: AsyncSession, booking_id: UUID, *, reason: str | None, by: Person) -> Booking:
    """Refuse a request. Raises NotFound, NotYourDecision, AlreadyDecided."""
    booking = await _to_decide(session, booking_id, by)
    now = await queries.database_time(session)
    await tell(session, booking, booking.decline(reason=reason, now=now), by=by.name)
    await busy_changed_by(session, [booking])
    return booking


async def cancel(session: AsyncSession, booking_id: UUID, *, reason: str | None, by: Person, now: datetime) -> Booking:
    """Call a booking off; at a peer's resource, ask the peer to. Raises NotFound, CannotCancel, NoticeIsOver."""
    booking = await readable(session, booking_id, by)
    if not may_cancel(booking, by, now):
        if booking.borrower_member_id == by.id and booking.may_be_cancelled(now):
            raise NoticeIsOver(minutes=booking.cancel_notice_minutes)
        raise CannotCancel(booking_status=booking.status)
    side: Side = "borrower" if booking.borrower_member_id == by.id else "owner"
    await tell(session, booking, booking.cancel(by=side, reason=reason, now=now), by=by.name)
    await forget_change(session, booking)
    await busy_changed_by(session, [booking])
    return booking


async def forget_change(session: AsyncSession, booking: Booking) -> None:
    """What was asked to change of a booking that is over."""
    if booking.is_ours:
        booking.proposal = None
        await session.execute(sa.delete(changes).where(changes.c.booking_id == booking.id))


async def approval_of(session: AsyncSession, booking: Booking) -> Approval:
    """How requests for the booking's resource are decided."""
    found = await queries.deciding_of(session, {booking.offer_id})
    return found.get(booking.offer_id, queries.Deciding()).approval


async def readable(session: AsyncSession, booking_id: UUID, by: Person) -> Booking:
    """The booking, locked, for somebody who may read it. Raises NotFound."""
    booking = await queries.booking(session, booking_id, lock=True)
    if booking is None or not may_read(booking, by):
        raise NotFound
    return booking


async def _to_decide(session: AsyncSession, booking_id: UUID, by: Person) -> Booking:
    booking = await readable(session, booking_id, by)
    if not would_decide(booking, by, await approval_of(session, booking)):
        raise NotYourDecision
    return booking


async def _check_rules_again(session: AsyncSession, booking: Booking, resource: Resource, now: datetime) -> None:
    """The period against the rules as they are now. A closed or withdrawn resource keeps its requests: no new ones."""
    rules = rules_once_asked(resource.rules, in_series=booking.series_id is not None)
    around = search_window(booking.period)
    occupied = await queries.occupied(session, booking.offer_id, around, excluding=booking.id)
    check_request(rules, booking.period, quantity=booking.quantity, now=now)
    offer = await queries.offer(session, booking.offer_id)
    free = is_free(rules, booking.period, quantity=booking.quantity, occupied=occupied, now=now)
    if not free and offer is not None:
        raise await taken(session, offer, resource, booking, by=None, now=now)
    await check_quotas(session, resource, booking)
    await check_still_for(session, booking, resource, now)


async def check_still_for(session: AsyncSession, booking: Booking, resource: Resource, now: datetime) -> None:
    """Whether whoever asked may still have it. Raises NoLongerShared, NotForYou and what else `check_may_ask` does."""
    offer = await queries.offer(session, booking.offer_id)
    if offer is None or not offer.published:
        return
    person = await queries.member(session, booking.borrower_member_id) if booking.borrower_member_id else None
    if booking.borrower_peer_id is not None:
        visible = is_shared_with(offer, booking.borrower_peer_id, now)
    else:
        visible = person is not None and may_see(offer, person, now)
    if not visible:
        raise NoLongerShared
    asking = Asking(person=person, peer_id=booking.borrower_peer_id, owner_id=offer.owner_member_id)
    check_may_ask(resource.rules, resource.terms, asking, booking.period, now=now)

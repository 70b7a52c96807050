"""Approving, declining and cancelling several bookings of a series in one step."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesCancelled, SeriesConfirmed, SeriesDeclined, SeriesRequested
from services.booking import queries
from services.booking.commands.decide import approval_of, cancel, check_still_for
from services.booking.commands.quotas import ledgers
from services.booking.commands.series import counting
from services.booking.commands.telling import busy_changed_by
from services.booking.commands.together import locked_series, tell_series
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking, Side
from services.booking.domain.deciding import Person, may_cancel, may_read, would_decide
from services.booking.domain.occurrences import Occurrence, judged, rules_once_asked
from services.booking.domain.problems import AlreadyDecided, NotBookable, NotYourDecision, Recovering
from services.booking.domain.series import Scope, Series, in_scope
from services.booking.domain.series_problems import SeriesHasConflicts
from services.booking.domain.spans import Span
from services.booking.resources import Resource
from services.booking.tables import changes, resources
from services.chassis.problems import NotFound


async def approve_series(session: AsyncSession, series_id: UUID, *, by: Person) -> Series:
    """Say yes to all that waits of a series; confirmed once enough have. Each date is checked again (rule 3).

    Raises NotFound, NotYourDecision, AlreadyDecided, TooLate, SeriesHasConflicts, NoLongerShared, NotForYou.
    """
    repeated, waiting = await _to_decide(session, series_id, by)
    now = await queries.database_time(session)
    resource = await locked_resource(session, repeated.offer_id)
    await _check_again(session, waiting, resource, now)
    needed = resource.terms.approvals_needed
    events = [booking.confirm(now=now, by=by.id, needed=needed) for booking in waiting]
    waits = waiting[0].status == "pending"
    repeated.become("pending" if waits else "confirmed", now=now)
    await tell_series(
        session,
        repeated,
        waiting,
        events,
        as_one=SeriesRequested if waits else SeriesConfirmed,
        by=by.name,
        what="approved_first" if waits else None,
    )
    await busy_changed_by(session, waiting)
    return repeated


async def decline_series(session: AsyncSession, series_id: UUID, *, reason: str | None, by: Person) -> Series:
    """Refuse all that waits of a series. Raises NotFound, NotYourDecision, AlreadyDecided."""
    repeated, waiting = await _to_decide(session, series_id, by)
    now = await queries.database_time(session)
    events = [booking.decline(reason=reason, now=now) for booking in waiting]
    repeated.become("declined", now=now)
    await tell_series(session, repeated, waiting, events, as_one=SeriesDeclined, by=by.name)
    await busy_changed_by(session, waiting)
    return repeated


async def cancel_in_series(
    session: AsyncSession, booking_id: UUID, *, scope: Scope, reason: str | None, by: Person, now: datetime
) -> Booking:
    """Call off a booking and, by `scope`, those of its series that follow or all; the past stays as it was.

    What this person may not call off (any more) stays too. Raises NotFound, CannotCancel, NoticeIsOver when nothing
    can be called off.
    """
    repeated, its, this = await of_series(session, booking_id, by)
    meant = in_scope(its, this, scope)
    ours = [booking for booking in meant if may_cancel(booking, by, now)]
    if repeated is None or scope == "this" or not ours:
        return await cancel(session, booking_id, reason=reason, by=by, now=now)
    side: Side = "borrower" if this.borrower_member_id == by.id else "owner"
    events = [booking.cancel(by=side, reason=reason, now=now) for booking in ours]
    repeated.become("cancelled" if scope == "all" else None, now=now)
    as_one = partial(SeriesCancelled, by=side, scope=scope)
    await tell_series(session, repeated, ours, events, as_one=as_one, by=by.name)
    await session.execute(sa.delete(changes).where(changes.c.booking_id.in_([booking.id for booking in ours])))
    await busy_changed_by(session, ours)
    return this


async def of_series(
    session: AsyncSession, booking_id: UUID, by: Person
) -> tuple[Series | None, list[Booking], Booking]:
    """The series of a booking, its bookings and itself, all locked; no series when it has none. Raises NotFound."""
    seen = await queries.booking(session, booking_id)
    if seen is None or not may_read(seen, by):
        raise NotFound
    if seen.series_id is None:
        return None, [seen], seen
    repeated = await locked_series(session, seen.series_id)
    its = await queries.bookings_of_series(session, seen.series_id, lock=True)
    return repeated, its, next(booking for booking in its if booking.id == booking_id)


async def _to_decide(session: AsyncSession, series_id: UUID, by: Person) -> tuple[Series, list[Booking]]:
    """The series and what waits of it, locked, for somebody who decides on it."""
    repeated = await locked_series(session, series_id)
    its = await queries.bookings_of_series(session, series_id, lock=True)
    if repeated is None or not any(may_read(booking, by) for booking in its):
        raise NotFound
    waiting = [booking for booking in its if booking.status == "pending"]
    if not waiting:
        raise AlreadyDecided(booking_status=its[0].status)
    approval = await approval_of(session, waiting[0])
    if not all(would_decide(booking, by, approval) for booking in waiting):
        raise NotYourDecision
    return repeated, waiting


async def locked_resource(session: AsyncSession, offer_id: UUID) -> Resource:
    """The resource, held: what is seen of its bookings stays until the end. Raises NotBookable, Recovering."""
    lock = sa.select(resources.c.offer_id).where(resources.c.offer_id == offer_id)
    await session.execute(lock.with_for_update(key_share=True))
    resource = await queries.resource(session, offer_id)
    if resource is None:
        raise NotBookable
    if resource.recovering:
        raise Recovering
    return resource


async def _check_again(session: AsyncSession, waiting: Sequence[Booking], resource: Resource, now: datetime) -> None:
    """Every date by the rules as they are now. Raises SeriesHasConflicts, NoLongerShared, NotForYou."""
    rules = rules_once_asked(resource.rules, in_series=True)
    window = search_window(around(waiting))
    ids = [booking.id for booking in waiting]
    counted = await ledgers(session, resource, waiting[0], window, leaving_out=ids)
    fitting, conflicts = judged(
        rules,
        occurrences_of(waiting),
        quantity=waiting[0].quantity,
        occupied=await queries.occupied(session, resource.offer_id, window, excluding=ids),
        now=now,
        count=counting(counted, waiting[0]),
    )
    if conflicts:
        raise SeriesHasConflicts(conflicts, free=len(fitting))
    await check_still_for(session, waiting[0], resource, now)


def occurrences_of(its: Sequence[Booking]) -> list[Occurrence]:
    """The dates that bookings of a series are for."""
    return [
        Occurrence(
            day=booking.starts_at.astimezone(ZoneInfo(booking.time_zone)).date(),
            original=booking.occurrence or booking.starts_at,
            period=booking.period,
        )
        for booking in its
    ]


def around(its: Sequence[Booking]) -> Span:
    """From the first to the last instant that any of these bookings takes."""
    return Span(
        min((one.occupied or one.period).start for one in its), max((one.occupied or one.period).end for one in its)
    )

"""The one answer to a change that was asked for several bookings of a series."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.changing import WantedChange
from services.booking.commands.decide import approval_of
from services.booking.commands.series_changing import WantedMove, fitting_of
from services.booking.commands.series_deciding import locked_resource
from services.booking.commands.series_moving import Move, swap
from services.booking.commands.staying import drop_wishes, stay_together
from services.booking.commands.together import locked_series
from services.booking.domain.changing import check_may_answer, may_answer
from services.booking.domain.deciding import Person, may_read
from services.booking.domain.limits import NoChangeAsked
from services.booking.domain.occurrences import Occurrence
from services.booking.domain.series_problems import SeriesHasConflicts
from services.booking.domain.states import Side
from services.chassis.problems import NotFound


async def accept_series_change(session: AsyncSession, series_id: UUID, *, by: Person, days: int) -> None:
    """Say yes: all dates that it was asked for take their new periods in one step. `days`: how far ahead a series goes.

    Raises NotFound, NoChangeAsked, NotYourDecision, SeriesHasConflicts.
    """
    move = await _waiting(session, series_id, by)
    now = await queries.database_time(session)
    resource = await locked_resource(session, move.series.offer_id)
    zone = ZoneInfo(move.series.time_zone)
    wishes = [
        Occurrence(
            day=period.start.astimezone(zone).date(), original=booking.occurrence or booking.starts_at, period=period
        )
        for booking, period in zip(move.bookings, move.periods, strict=True)
    ]
    change = WantedChange(period=move.periods[0], quantity=move.quantity)
    wanted = WantedMove(change=change, scope="all", days=days)
    fitting, conflicts = await fitting_of(session, move.bookings, wishes, wanted, resource, now=now)
    if conflicts:
        raise SeriesHasConflicts(conflicts, free=len(fitting))
    await drop_wishes(session, move.bookings)
    await swap(session, move, resource, name=by.name, now=now)


async def refuse_series_change(session: AsyncSession, series_id: UUID, *, by: Person, withdraw: bool = False) -> None:
    """Say no, or (`withdraw`) no longer ask: all stay as they are. Raises NotFound, NoChangeAsked, NotYourDecision."""
    move = await _waiting(session, series_id, by, withdraw=withdraw)
    now = await queries.database_time(session)
    await drop_wishes(session, move.bookings)
    side: Side = "borrower" if move.series.borrower_member_id == by.id else "owner"
    what = "change_withdrawn" if withdraw else "change_refused"
    await stay_together(session, move.bookings, by=side, what=what, now=now, name=by.name)


async def _waiting(session: AsyncSession, series_id: UUID, by: Person, *, withdraw: bool = False) -> Move:
    """What waits for an answer, its series and bookings locked, for somebody who gives it."""
    repeated = await locked_series(session, series_id)
    its = await queries.bookings_of_series(session, series_id, lock=True)
    if repeated is None or not any(may_read(booking, by) for booking in its):
        raise NotFound
    asked = await queries.changes_of(session, [booking.id for booking in its])
    wished = [
        (booking, asked[booking.id])
        for booking in its
        if booking.id in asked and asked[booking.id].together is not None
    ]
    if not wished:
        raise NoChangeAsked
    approval = await approval_of(session, wished[0][0])
    first = next((it for one, it in wished if may_answer(one, it, by, approval, withdraw=withdraw)), wished[0][1])
    wished = [(booking, change) for booking, change in wished if change.together == first.together]
    for booking, change in wished:
        check_may_answer(booking, change, by, approval, withdraw=withdraw)
    return Move(
        series=repeated,
        bookings=[booking for booking, _ in wished],
        periods=[change.period for _, change in wished],
        quantity=first.quantity,
        note=first.note,
        by_owner=first.by_owner,
    )

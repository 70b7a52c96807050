"""What every request about bookings meets at the edge, and how bookings are shown there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.group_commit import GroupCommit
from services.booking.remembered import Remembered
from services.booking.settings import BookingSettings
from services.booking.views import Beside, BookingView, WaitingDateView, booking_view
from services.chassis.clock import Clock, ClockDep
from services.chassis.database import Database, DatabaseDep


async def _settings_of(request: Request) -> BookingSettings:
    settings: BookingSettings = request.app.state.settings
    return settings


Settings = Annotated[BookingSettings, Depends(_settings_of)]


@dataclass(frozen=True)
class Edge:
    """What every request meets at the edge: the database, the clock, and what requests share.

    `asked`: reads facts about our resources. `together`: decides on bookings of them. `worked_out`, `free_times`:
    answers as they were worked out for some days of one resource, and for one of several.
    """

    db: Database
    clock: Clock
    asked: queries.Asked
    together: GroupCommit
    worked_out: Remembered
    free_times: Remembered


async def _edge_of(request: Request, db: DatabaseDep, clock: ClockDep) -> Edge:
    state = request.app.state
    return Edge(db, clock, state.asked, state.together, state.worked_out, state.free_times)


At = Annotated[Edge, Depends(_edge_of)]


async def first_view(session: AsyncSession, booking: Booking, person: Person, now: datetime) -> BookingView:
    """A booking as its borrower sees it the moment that it is made: nothing has happened to it yet."""
    how = queries.Deciding()
    if booking.status == "pending" and booking.is_ours:
        how = (await queries.deciding_of(session, {booking.offer_id})).get(booking.offer_id, how)
    return new_view(booking, person, how, now)


def new_view(booking: Booking, person: Person, how: queries.Deciding, now: datetime) -> BookingView:
    """Like `first_view`, for a resource on which is decided like `how`."""
    what = "booked" if booking.status == "confirmed" else "requested"
    line = queries.HistoryLine(at=booking.created_at, what=what, by_name=person.name)
    beside = Beside(approval=how.approval, approvals_needed=how.needed, history=[line])
    return booking_view(booking, person, beside, now=now)


async def view_of(session: AsyncSession, booking: Booking, person: Person, now: datetime) -> BookingView:
    """One booking as `person` sees it."""
    return (await view_all(session, [booking], person, now))[0]


async def view_all(session: AsyncSession, found: list[Booking], person: Person, now: datetime) -> list[BookingView]:
    """Bookings as `person` sees them, with what they may do."""
    ids = [booking.id for booking in found]
    lines, asked = await queries.history_of(session, ids), await queries.changes_of(session, ids)
    deciding = await queries.deciding_of(session, {booking.offer_id for booking in found})
    views: list[BookingView] = []
    for booking in found:
        how = deciding.get(booking.offer_id, queries.Deciding())
        beside = Beside(
            approval=how.approval,
            approvals_needed=how.needed,
            history=lines[booking.id],
            change=asked.get(booking.id),
        )
        views.append(booking_view(booking, person, beside, now=now))
    return views


async def with_dates_that_wait(session: AsyncSession, shown: list[BookingView]) -> list[BookingView]:
    """The same, each request of a series with all dates of it that wait."""
    ids = {view.series.id for view in shown if view.series is not None and view.status == "pending"}
    dates: dict[UUID, list[WaitingDateView]] = {series_id: [] for series_id in ids}
    for series_id, booking_id, period in await queries.dates_that_wait(session, ids):
        dates[series_id].append(WaitingDateView(booking_id=booking_id, start=period.start, end=period.end))
    return [
        view.model_copy(update={"waiting_dates": dates[view.series.id]})
        if view.series is not None and view.series.id in ids and view.status == "pending"
        else view
        for view in shown
    ]

"""What people are shown of a series."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from contracts.booking import Approval, Interval, Party, Status
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change, may_answer
from services.booking.domain.deciding import Person
from services.booking.domain.occurrences import Conflict, Occurrence
from services.booking.domain.series import Series, SeriesStatus
from services.booking.domain.series_problems import conflict_as_json
from services.booking.views import BookingView
from services.chassis.problems import Language


class ConflictView(BaseModel):
    """Why a date cannot be: `code` for programs, `detail` for people; `alternatives` for the first ten only."""

    date: date
    start: datetime
    end: datetime
    code: str
    detail: str
    alternatives: list[Interval]


class DateView(BaseModel):
    """One date that can be. `date`: the local day by the rule, which exceptions and moves name."""

    date: date
    start: datetime
    end: datetime


class CheckView(BaseModel):
    """What would come of a series: `waits` for a decision or not."""

    rrule: str
    time_zone: str
    waits: bool
    dates: list[DateView]
    conflicts: list[ConflictView]


class SeriesBookingView(BaseModel):
    """One booking of a series."""

    id: UUID
    position: int
    start: datetime
    end: datetime
    status: Status
    moved: bool


class NewDateView(BaseModel):
    """What one booking of a series is asked to become."""

    booking_id: UUID
    start: datetime
    end: datetime


class SeriesChangeView(BaseModel):
    """A change asked for several of its bookings in one step, and what this person may do about it."""

    by_owner: bool
    quantity: int
    note: str
    decide_by: datetime
    dates: list[NewDateView]
    may_answer: bool
    may_withdraw: bool


class SeriesView(BaseModel):
    """A series with its bookings. `conflicts`: dates that were skipped when it was booked, or moved."""

    id: UUID
    offer_id: UUID
    offer_title: str
    borrower: Party
    note: str
    rrule: str
    time_zone: str
    start: datetime
    end: datetime
    exceptions: list[date]
    size: int
    status: SeriesStatus
    version: int
    mine: bool
    may_decide: bool
    decide_by: datetime | None
    bookings: list[SeriesBookingView]
    conflicts: list[ConflictView]
    change: SeriesChangeView | None = None


class ChangedView(BookingView):
    """A booking after a change; `not_moved`: dates of its series that stay where they are, and why."""

    not_moved: list[ConflictView]


def conflict_views(conflicts: Sequence[Conflict], language: Language) -> list[ConflictView]:
    """The conflicts, told in `language`."""
    return [ConflictView.model_validate(conflict_as_json(conflict, language)) for conflict in conflicts]


def date_views(found: Sequence[Occurrence]) -> list[DateView]:
    """The dates that can be."""
    return [DateView(date=one.day, start=one.period.start, end=one.period.end) for one in found]


def series_view(series: Series, bookings: Sequence[Booking], **more: Any) -> SeriesView:
    """A series with its bookings (one at least). `more`: what depends on who looks."""
    waiting = [one.decide_by for one in bookings if one.status == "pending" and one.decide_by is not None]
    return SeriesView(
        id=series.id,
        offer_id=series.offer_id,
        offer_title=bookings[0].offer_title,
        borrower=bookings[0].state().borrower,
        note=bookings[0].note,
        rrule=series.rrule,
        time_zone=series.time_zone,
        start=series.starts_at,
        end=series.ends_at,
        exceptions=series.exceptions,
        size=series.size,
        status=series.status,
        version=series.version,
        decide_by=min(waiting, default=None),
        bookings=[
            SeriesBookingView(
                id=one.id,
                position=one.series_position or 0,
                start=one.starts_at,
                end=one.ends_at,
                status=one.status,
                moved=one.starts_at != one.occurrence,
            )
            for one in bookings
        ],
        **more,
    )


def series_change_view(
    asked: Sequence[tuple[Booking, Change]], person: Person, approval: Approval
) -> SeriesChangeView | None:
    """What is asked for several of its bookings in one step, as `person` sees it; None when nothing is."""
    together = [(booking, change) for booking, change in asked if change.together is not None]
    if not together:
        return None
    booking, first = together[0]
    return SeriesChangeView(
        by_owner=first.by_owner,
        quantity=first.quantity,
        note=first.note,
        decide_by=first.decide_by,
        dates=[NewDateView(booking_id=one.id, start=wish.period.start, end=wish.period.end) for one, wish in together],
        may_answer=may_answer(booking, first, person, approval, withdraw=False),
        may_withdraw=may_answer(booking, first, person, approval, withdraw=True),
    )

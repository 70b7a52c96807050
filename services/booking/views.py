"""What people are shown."""

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.booking import Approval, BookingState, CheckIn, Interval, OpeningHours
from services.booking.domain import use
from services.booking.domain.availability import Availability
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_cancel, may_decide
from services.booking.domain.opening import local_midnight
from services.booking.domain.spans import Span, clipped
from services.booking.queries import HistoryLine
from services.booking.resources import Resource, opening_hours_of


class ResourceView(BaseModel):
    """How an offer can be booked. `upcoming` (for those who may edit): open bookings that are not over."""

    offer_id: UUID
    offer_title: str
    owner_name: str | None
    origin: str | None
    origin_name: str | None
    time_zone: str
    opening_hours: list[OpeningHours]
    step_minutes: int
    minimum_minutes: int
    maximum_minutes: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    capacity: int
    approval: Approval
    status: Literal["open", "closed"]
    version: int
    may_edit: bool
    upcoming: int | None = None
    check_in: CheckIn = "none"
    grace_minutes: int = 30


class DayView(BaseModel):
    """One local day; intervals in UTC, cut at the day's ends."""

    date: date
    open: list[Interval]
    free: list[Interval]
    busy: list[Interval]


class AvailabilityView(BaseModel):
    """Some days of a resource. `as_of`: for a peer's resource, when the peer last told its busy times."""

    time_zone: str
    step_minutes: int
    from_: date = Field(serialization_alias="from")
    days: list[DayView]
    as_of: datetime | None
    next_free: list[Interval]


class HistoryView(BaseModel):
    """What happened to a booking; `by_name` None: nobody of this cooperative, or by itself."""

    at: datetime
    what: str
    by_name: str | None


class BookingView(BookingState):
    """A booking as one person sees it. `mine`: this person is the borrower.

    `check_in_from`, `check_in_until`: when people may arrive, None where nobody checks in. `check_in_code`: for the
    owner and coordinators, who show it at the machine.
    """

    mine: bool
    may_decide: bool
    may_cancel: bool
    may_check_in: bool
    may_check_out: bool
    check_in_from: datetime | None
    check_in_until: datetime | None
    check_in_code: str | None
    history: list[HistoryView]


def resource_view(resource: Resource, offer: Offer, *, may_edit: bool, upcoming: int | None) -> ResourceView:
    """A resource with its offer's title and owner."""
    rules = resource.rules
    return ResourceView(
        offer_id=resource.offer_id,
        offer_title=offer.title,
        owner_name=offer.owner_name,
        origin=offer.origin,
        origin_name=offer.origin_name,
        time_zone=rules.time_zone,
        opening_hours=opening_hours_of(rules),
        step_minutes=rules.step_minutes,
        minimum_minutes=rules.minimum_minutes,
        maximum_minutes=rules.maximum_minutes,
        lead_minutes=rules.lead_minutes,
        horizon_days=rules.horizon_days,
        buffer_before_minutes=rules.buffer_before_minutes,
        buffer_after_minutes=rules.buffer_after_minutes,
        capacity=rules.capacity,
        approval=resource.approval,
        status=resource.status,
        version=resource.version,
        may_edit=may_edit,
        upcoming=upcoming,
        check_in=resource.check_in,
        grace_minutes=resource.grace_minutes,
    )


def booking_view(
    booking: Booking, person: Person, *, approval: Approval, history: list[HistoryLine], now: datetime
) -> BookingView:
    """A booking with what `person` may do with it now."""
    window = use.arrival(booking)
    waits = booking.status == "pending" and (booking.decide_by is None or now < booking.decide_by)
    return BookingView(
        **booking.state().model_dump(),
        mine=booking.borrower_member_id == person.id,
        may_decide=waits and may_decide(booking, person, approval),
        may_cancel=may_cancel(booking, person, now),
        may_check_in=use.may_check_in(booking, person, now),
        may_check_out=use.may_check_out(booking, person),
        check_in_from=window.start if window else None,
        check_in_until=window.end if window else None,
        check_in_code=booking.check_in_code if use.may_see_code(booking, person) else None,
        history=[HistoryView(at=line.at, what=line.what, by_name=line.by_name) for line in history],
    )


def day_views(resource: Resource, found: Availability, first: date, days: int) -> list[DayView]:
    """`found` cut into local days."""
    views: list[DayView] = []
    for number in range(days):
        day = first + timedelta(days=number)
        zone = resource.rules.zone
        span = Span(local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone))
        parts = (intervals(clipped(spans, span)) for spans in (found.open, found.free, found.busy))
        opened, free, busy = parts
        views.append(DayView(date=day, open=opened, free=free, busy=busy))
    return views


def intervals(spans: list[Span]) -> list[Interval]:
    """Spans as JSON intervals."""
    return [Interval(start=span.start, end=span.end) for span in spans]

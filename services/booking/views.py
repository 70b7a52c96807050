"""What people are shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from contracts.booking import Approval, BookingState, ChangeState, CheckIn, OpeningHours, Terms
from services.booking.domain import use
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change, check_may_change, may_answer
from services.booking.domain.deciding import Offer, Person, may_cancel, may_decide
from services.booking.domain.limits import CannotChange
from services.booking.queries import HistoryLine
from services.booking.resources import Resource, opening_hours_of


class ResourceView(BaseModel):
    """How an offer can be booked. `upcoming` (for those who may edit): open bookings that are not over.

    `terms` without instructions for those who may not edit; without quotas, circles and roles for visitors.
    """

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
    terms: Terms
    may_edit: bool
    upcoming: int | None = None
    check_in: CheckIn = "none"
    grace_minutes: int = 30


class HistoryView(BaseModel):
    """What happened to a booking; `by_name` None: nobody of this cooperative, or by itself."""

    at: datetime
    what: str
    by_name: str | None


class ChangeView(ChangeState):
    """What the booking is asked to become, and what this person may do about it.

    `together`: it is asked for with other dates of its series, and answered with them.
    """

    may_answer: bool
    may_withdraw: bool
    together: bool


class WaitingDateView(BaseModel):
    """A date of a series that waits."""

    booking_id: UUID
    start: datetime
    end: datetime


class BookingView(BookingState):
    """A booking as one person sees it. `mine`: this person is the borrower.

    `check_in_from`, `check_in_until`: when people may arrive, None where nobody checks in. `check_in_code`: for the
    owner and coordinators, who show it at the machine.
    `cancel_until`: until when the borrower may cancel alone, where there is a notice.
    `waiting_dates`: in lists by series, all dates of its series that wait for the same decision.
    """

    mine: bool
    may_decide: bool
    may_cancel: bool
    may_check_in: bool
    may_check_out: bool
    check_in_from: datetime | None
    check_in_until: datetime | None
    check_in_code: str | None
    may_change: bool
    approvals_needed: int
    cancel_until: datetime | None
    change: ChangeView | None
    waiting_dates: list[WaitingDateView] | None = None
    history: list[HistoryView]


def resource_view(
    resource: Resource, offer: Offer, *, may_edit: bool, upcoming: int | None, for_member: bool = True
) -> ResourceView:
    """A resource with its offer's title and owner. `for_member`: whether one of our members looks at it."""
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
        terms=resource.terms if may_edit else _shown(resource.terms, for_member=for_member),
        may_edit=may_edit,
        upcoming=upcoming,
        check_in=resource.check_in,
        grace_minutes=resource.grace_minutes,
    )


def _shown(terms: Terms, *, for_member: bool) -> Terms:
    """`terms` for those who may not edit: instructions are for whoever has booked, inner rules for members."""
    inner: dict[str, Any] = {} if for_member else {"circle_ids": (), "roles": (), "quotas": ()}
    return terms.model_copy(update=inner | {"instructions": ""})


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is shown beside a booking: how its resource is decided on, its history, a change that is asked for."""

    approval: Approval
    approvals_needed: int
    history: list[HistoryLine]
    change: Change | None = None


def booking_view(booking: Booking, person: Person, beside: Beside, *, now: datetime) -> BookingView:
    """A booking with what `person` may do with it now."""
    window = use.arrival(booking)
    approval = beside.approval
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
        may_change=_may_change(booking, person, now),
        approvals_needed=beside.approvals_needed,
        cancel_until=_cancel_until(booking),
        change=_change_view(booking, beside.change, person, approval) if beside.change else None,
        history=[HistoryView(at=line.at, what=line.what, by_name=line.by_name) for line in beside.history],
    )


def _cancel_until(booking: Booking) -> datetime | None:
    notice = timedelta(minutes=booking.cancel_notice_minutes)
    return booking.starts_at - notice if notice and booking.status == "confirmed" else None


def _may_change(booking: Booking, person: Person, now: datetime) -> bool:
    try:
        check_may_change(booking, person, now)
    except CannotChange:
        return False
    return True


def _change_view(booking: Booking, change: Change, person: Person, approval: Approval) -> ChangeView:
    return ChangeView(
        **change.state().model_dump(),
        may_answer=may_answer(booking, change, person, approval, withdraw=False),
        may_withdraw=may_answer(booking, change, person, approval, withdraw=True),
        together=change.together is not None,
    )

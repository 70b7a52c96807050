"""What whoever settles a change underneath is shown."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.booking.domain.underneath import WHY, Misfit
from services.booking.views import BookingView, ResourceView
from services.chassis.problems import Language


class ReasonView(BaseModel):
    """Why a booking no longer fits: a stable code, and the end of a sentence in the reader's language."""

    code: Misfit
    detail: str


class AffectedView(BaseModel):
    """A booking to come. `kept`: somebody chose to keep it since the rules last changed.

    `may_move`: another period can be proposed to the borrower. `may_end`: it can be cancelled, or (a request) declined.
    """

    booking: BookingView
    reasons: list[ReasonView]
    kept: bool
    may_move: bool
    may_end: bool


class FailedView(BaseModel):
    """A choice that could not be done: the booking, and the problem document that says why."""

    id: UUID
    problem: dict[str, Any]


class PreviewView(BaseModel):
    """What new rules would mean. `blocked`: they are refused until fewer are booked at once (`beyond_capacity`)."""

    affected: list[AffectedView]
    blocked: bool


class SavedResourceView(ResourceView):
    """The rules as they are now, and the bookings to come that do not fit them."""

    affected: list[AffectedView]


class UpcomingView(BaseModel):
    """All bookings to come of a resource; `to_settle`: how many no longer fit and were not kept."""

    offer_id: UUID
    offer_title: str
    time_zone: str
    items: list[AffectedView]
    to_settle: int


class SettledView(UpcomingView):
    """What is left after settling, and what could not be done."""

    failed: list[FailedView]


def reasons_in(language: Language, why: list[Misfit]) -> list[ReasonView]:
    """The reasons as people read them."""
    return [ReasonView(code=code, detail=WHY[code].say(language)) for code in why]

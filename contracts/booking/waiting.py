"""Waiting for a period that is taken."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Data, Event

WaitingStatus = Literal["waiting", "offered", "accepted", "left", "lapsed", "ended"]


class WaitingState(Data):
    """A member of ours waits for a period of our resource, whole. `start`/`end` are UTC, `time_zone` the resource's.

    `status`: `waiting`; `offered` (a place is kept until `accept_by`); `accepted` (`booking_id` is the booking);
    `left` by the member; `lapsed` (not accepted in time); `ended` (the period has begun, or the offer is gone).
    """

    id: UUID
    offer_id: UUID
    offer_title: str
    member_id: UUID
    member_name: str
    start: datetime
    end: datetime
    time_zone: str
    quantity: int
    status: WaitingStatus
    accept_by: datetime | None
    booking_id: UUID | None
    version: int
    changed_at: datetime


class WaitingEvent(Event):
    """Anything that happened to a wish that waits."""

    waiting: WaitingState

    @property
    def subject(self) -> str:
        return str(self.waiting.id)


class PlaceOffered(WaitingEvent):
    """A place has become free and is kept for the member until `waiting.accept_by`."""

    type: ClassVar[str] = "booking.place_offered.v1"


class WaitingChanged(WaitingEvent):
    """The wish was made, or is over (`waiting.status` says how)."""

    type: ClassVar[str] = "booking.waiting_changed.v1"

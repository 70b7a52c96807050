"""How a resource can be booked, and when it is busy."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Data, Event

Approval = Literal["automatic", "owner", "coordinator"]
CheckIn = Literal["none", "asked"]


class OpeningHours(Data):
    """Open from `opens` to `closes` ("HH:MM", local wall time; "24:00" ends the day) on `weekday` (0 Monday)."""

    weekday: int
    opens: str
    closes: str


class ResourceState(Data):
    """How an offer can be booked. Durations in minutes; `horizon_days`: how far ahead.

    `status`: `open` or `closed` (no longer bookable). `check_in`: whether people say when they come and go;
    then a booking to which nobody has come `grace_minutes` after its start is free again.
    """

    offer_id: UUID
    title: str
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
    owner_member_id: UUID
    status: Literal["open", "closed"]
    version: int
    check_in: CheckIn = "none"
    grace_minutes: int = 30


class ResourceChanged(Event):
    """A resource became bookable, changed its rules, or closed."""

    type: ClassVar[str] = "booking.resource_changed.v1"
    resource: ResourceState

    @property
    def subject(self) -> str:
        return str(self.resource.offer_id)


class Interval(Data):
    """`[start, end)`, UTC."""

    start: datetime
    end: datetime


class BusyChanged(Event):
    """All busy intervals of a resource from `since` to `until`, with no person in them. Newest version wins."""

    type: ClassVar[str] = "booking.busy_changed.v1"
    offer_id: UUID
    since: datetime
    until: datetime
    busy: list[Interval]
    version: int

    @property
    def subject(self) -> str:
        return str(self.offer_id)

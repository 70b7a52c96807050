"""How a resource can be booked, and when it is busy."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Data, Event
from contracts.identity import Role

Approval = Literal["automatic", "owner", "coordinator"]
CheckIn = Literal["none", "asked"]


class OpeningHours(Data):
    """Open from `opens` to `closes` ("HH:MM", local wall time; "24:00" ends the day) on `weekday` (0 Monday)."""

    weekday: int
    opens: str
    closes: str


class Season(Data):
    """Opening hours of its own from `begins` to `ends` ("MM-DD", both included; may span the new year)."""

    label: str = ""
    begins: str
    ends: str
    opening_hours: list[OpeningHours]


class Closure(Data):
    """Closed from the local day `first` to `last`, both included."""

    first: date
    last: date
    label: str = ""


class Price(Data):
    """What a use costs: nothing, a sum for each use, a sum for each hour, or as many hours of time.

    `amount`: a decimal number as text, in `currency` (ISO 4217); left out of account for `free` and `time`.
    """

    kind: Literal["free", "fixed", "hourly", "time"]
    amount: str = "0"
    currency: str = "EUR"


class Quota(Data):
    """At most `most` bookings (or hours of them) for one member, circle or peer in a local week (ISO) or month."""

    scope: Literal["member", "circle", "peer"]
    per: Literal["week", "month"]
    unit: Literal["bookings", "hours"]
    most: int


class Terms(Data):
    """Further conditions; each may be left out.

    `holidays`: closed on the public holidays of this country or region (ISO 3166: "FR", "FR-57", "BE").
    `approvals_needed`: how many different people must say yes, where a yes is needed. `circle_ids`, `roles`: who of
    our members may book (empty: whoever sees the offer). `peers`: whether linked cooperatives may;
    `peers_within_days`: they may only so many days ahead (own members first). `cancel_notice_minutes`: until how long
    before the start the borrower may cancel. `instructions`: told once it is confirmed. `deposit`: as information.
    `private`: who books is known to the two concerned alone, coordinators included.
    """

    seasons: tuple[Season, ...] = ()
    closures: tuple[Closure, ...] = ()
    holidays: str | None = None
    approvals_needed: int = 1
    circle_ids: tuple[UUID, ...] = ()
    roles: tuple[Role, ...] = ()
    peers: bool = True
    peers_within_days: int | None = None
    quotas: tuple[Quota, ...] = ()
    price: Price | None = None
    deposit: str = ""
    instructions: str = ""
    cancel_notice_minutes: int = 0
    private: bool = False


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
    terms: Terms = Terms()


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


class Partly(Data):
    """`taken` of a resource with capacity above one, in `[start, end)` (UTC), where some are left."""

    start: datetime
    end: datetime
    taken: int


class BusyChanged(Event):
    """All busy intervals of a resource from `since` to `until`, with no person in them. Newest version wins.

    `busy`: where nothing is left. `partly`: where something is.
    """

    type: ClassVar[str] = "booking.busy_changed.v1"
    offer_id: UUID
    since: datetime
    until: datetime
    busy: list[Interval]
    version: int
    partly: tuple[Partly, ...] = ()

    @property
    def subject(self) -> str:
        return str(self.offer_id)

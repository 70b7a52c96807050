"""Things as peers are shown them: what of a listing, its resource and its busy times may cross."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.booking import Approval, CheckIn, Closure, Interval, OpeningHours, Partly, Price, Season
from contracts.catalog import Kind, Side, Urgency
from contracts.envelope import Data
from contracts.identity import Locale


class RoundedPlace(Data):
    """A place to about a kilometre: coordinates with two decimals and the name of the town only."""

    label: str
    latitude: float | None = None
    longitude: float | None = None


class SharedListing(Data):
    """The shareable form of an offer or a need: no member id, no exact address, no contact."""

    id: UUID
    side: Side
    kind: Kind
    title: str
    text: str
    category: str
    language: Locale
    place: RoundedPlace | None
    quantity: int
    unit: str
    public: bool
    valid_until: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    urgency: Urgency
    version: int
    changed_at: datetime
    tags: tuple[str, ...] = ()


class SharedTerms(Data):
    """Further conditions, as far as a guest must know."""

    seasons: tuple[Season, ...] = ()
    closures: tuple[Closure, ...] = ()
    holidays: str | None = None
    peers: bool = True
    peers_within_days: int | None = None
    price: Price | None = None
    deposit: str = ""
    cancel_notice_minutes: int = 0


class SharedResource(Data):
    """How a shared offer can be booked, as far as a guest must know."""

    offer_id: UUID
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
    check_in: CheckIn = "none"
    grace_minutes: int = 30
    terms: SharedTerms = SharedTerms()


class SharedBusy(Data):
    """Busy intervals of a shared resource between `since` and `until`, with no person in them."""

    offer_id: UUID
    since: datetime
    until: datetime
    busy: list[Interval]
    version: int
    partly: tuple[Partly, ...] = ()

"""What federation says inside its own instance about links and about what peers have sent.

`origin` is always the peer's instance id (thumbprint of its root key); ids of a peer's things are only unique
together with it. What is here has passed the gate: signature, source, audience, sequence and ownership.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.acts import ActRecorded
from contracts.booking import UsedValue, UseState, UseStep
from contracts.border import Proposal
from contracts.envelope import Data, Event
from contracts.shared import SharedBusy, SharedListing, SharedResource

LinkStatus = Literal["invited", "awaiting_confirmation", "to_confirm", "opening", "active", "paused", "ended"]


class LinkState(Data):
    """A link with a peer, as our coordinators see it. `peer_id` is known from `to_confirm` on."""

    link_id: UUID
    peer_id: str
    peer_name: str
    peer_web: str
    status: LinkStatus
    version: int


class LinkChanged(Event):
    """A link was asked for, confirmed, opened, paused or ended. When it ends, every copy of that origin goes."""

    type: ClassVar[str] = "federation.link_changed.v1"
    link: LinkState

    @property
    def subject(self) -> str:
        return str(self.link.link_id)


class Received(Event):
    """Something that a peer has sent."""

    origin: str
    origin_name: str


class ListingReceived(Received):
    """A peer shares an offer or a need, or changed it. Copies compare (epoch, listing.version)."""

    type: ClassVar[str] = "federation.listing_received.v1"
    epoch: int
    listing: SharedListing

    @property
    def subject(self) -> str:
        return str(self.listing.id)


class ListingGone(Received):
    """A peer withdrew a listing, or no longer shares it with us: the copy is deleted, the tombstone kept."""

    type: ClassVar[str] = "federation.listing_gone.v1"
    epoch: int
    id: UUID
    version: int

    @property
    def subject(self) -> str:
        return str(self.id)


class ResourceReceived(Received):
    """How a peer's offer can be booked."""

    type: ClassVar[str] = "federation.resource_received.v1"
    epoch: int
    resource: SharedResource

    @property
    def subject(self) -> str:
        return str(self.resource.offer_id)


class BusyReceived(Received):
    """When a peer's resource is busy."""

    type: ClassVar[str] = "federation.busy_received.v1"
    epoch: int
    busy: SharedBusy

    @property
    def subject(self) -> str:
        return str(self.busy.offer_id)


class BookingRequestReceived(Received):
    """A peer's member asks for one of our resources. `pseudonym` is stable per person and peer."""

    type: ClassVar[str] = "federation.booking_request_received.v1"
    booking_id: UUID
    offer_id: UUID
    pseudonym: str
    start: datetime
    end: datetime
    quantity: int
    note: str
    decide_by: datetime

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BookingWithdrawalReceived(Received):
    """A peer's member withdraws a request or cancels a confirmed booking of our resource."""

    type: ClassVar[str] = "federation.booking_withdrawal_received.v1"
    booking_id: UUID
    reason: str | None
    number: int = 0

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class ChangeRequestReceived(Received):
    """A peer's member asks for another period or quantity of a booking of our resource."""

    type: ClassVar[str] = "federation.change_request_received.v1"
    booking_id: UUID
    number: int
    start: datetime
    end: datetime
    quantity: int
    note: str

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class ChangeWithdrawalReceived(Received):
    """A peer's member no longer asks for the change of that number."""

    type: ClassVar[str] = "federation.change_withdrawal_received.v1"
    booking_id: UUID
    number: int

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class ChangeAnswerReceived(Received):
    """A peer's member says yes or no to what the owner of our resource proposes under that number."""

    type: ClassVar[str] = "federation.change_answer_received.v1"
    booking_id: UUID
    number: int
    accepted: bool

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class UseReportReceived(Received):
    """A peer's member says that they have come for a booking of our resource, or have given it back."""

    type: ClassVar[str] = "federation.use_report_received.v1"
    booking_id: UUID
    step: UseStep

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BookingAnswerReceived(Received):
    """The origin of a resource tells the state of a booking that our member asked for; `use` says more of it."""

    type: ClassVar[str] = "federation.booking_answer_received.v1"
    booking_id: UUID
    status: Literal["pending", "confirmed", "declined", "cancelled", "expired", "completed"]
    start: datetime
    end: datetime
    reason: str | None
    owner_name: str | None
    place_label: str | None
    version: int
    use: UseState | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    value: UsedValue | None = None
    start_at_risk: bool = False
    instructions: str = ""
    quantity: int | None = None
    change_decided: int = 0
    change_reason: str | None = None
    withdrawals_heard: int = 0
    proposal: Proposal | None = None

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class ContactReceived(Received):
    """The other person of a confirmed booking across the border: name and address."""

    type: ClassVar[str] = "federation.contact_received.v1"
    booking_id: UUID
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class MessageRefused(Event):
    """The gate refused something from a peer. For coordinators; the message is kept with federation."""

    type: ClassVar[str] = "federation.message_refused.v1"
    link_id: UUID
    reason: str
    count: int

    @property
    def subject(self) -> str:
        return str(self.link_id)


class PersonForgotten(Received):
    """A peer's person has left: what is kept under this pseudonym is to be forgotten.

    `booking_ids`: bookings for which we were given their name and address, whichever side they were on.
    """

    type: ClassVar[str] = "federation.person_forgotten.v1"
    pseudonym: str
    booking_ids: tuple[UUID, ...] = ()

    @property
    def subject(self) -> str:
        return self.pseudonym

    @property
    def forgotten(self) -> tuple[str, ...]:
        return (self.pseudonym, *map(str, self.booking_ids))


class FederationActRecorded(ActRecorded):
    """A coordinator or administrator changed something in federation."""

    type: ClassVar[str] = "federation.act_recorded.v1"

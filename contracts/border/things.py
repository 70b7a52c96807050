"""What crosses between cooperatives, each signed by its origin. Built from an allow-list, never by leaving out.

These are a vocabulary of their own (`border.*`), so that nothing said inside an instance can be mistaken for
something that crossed, nor the other way round.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.booking import UsedValue, UseState, UseStep
from contracts.envelope import Data, Event
from contracts.shared import SharedBusy, SharedListing, SharedResource

AnswerStatus = Literal["pending", "confirmed", "declined", "cancelled", "expired", "completed"]
"""What the first readers understand; more is said in fields of its own."""

YEARS = range(2000, 2200)
"""The years that dates which cross may have: others are refused at the border."""


class Proposal(Data):
    """Another period (or quantity) that the owner asks your member to agree to, until `decide_by` by the owner's clock.

    `number` rises with each proposal for a booking; your answer names it.
    """

    number: int
    start: datetime
    end: datetime
    quantity: int
    note: str
    decide_by: datetime


class BorderListingPublished(Event):
    """We share this listing with you, or it has changed."""

    type: ClassVar[str] = "border.listing_published.v1"
    listing: SharedListing

    @property
    def subject(self) -> str:
        return str(self.listing.id)


class BorderListingWithdrawn(Event):
    """This listing is gone, or no longer for you: delete your copy and remember its tombstone."""

    type: ClassVar[str] = "border.listing_withdrawn.v1"
    id: UUID
    version: int

    @property
    def subject(self) -> str:
        return str(self.id)


class BorderResourceChanged(Event):
    """How one of our shared offers can be booked."""

    type: ClassVar[str] = "border.resource_changed.v1"
    resource: SharedResource

    @property
    def subject(self) -> str:
        return str(self.resource.offer_id)


class BorderBusyChanged(Event):
    """When one of our shared resources is busy."""

    type: ClassVar[str] = "border.busy_changed.v1"
    busy: SharedBusy

    @property
    def subject(self) -> str:
        return str(self.busy.offer_id)


class BorderBookingRequested(Event):
    """One of our members, under a pseudonym made for you, asks for one of your resources.

    `booking_id` is ours: you key it with our instance id. You do not confirm after `decide_by` (your clock).
    """

    type: ClassVar[str] = "border.booking_requested.v1"
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


class BorderBookingWithdrawn(Event):
    """Our member withdraws a request, or cancels. Only your answer ends it.

    `number` counts how often they have; your answer says up to which one you have heard (0: not counted yet).
    """

    type: ClassVar[str] = "border.booking_withdrawn.v1"
    booking_id: UUID
    reason: str | None = None
    number: int = 0

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderChangeRequested(Event):
    """Our member asks for another period or quantity; the booking stays as it is until you have decided.

    `number` counts the wishes for a booking: a later one takes the place of those before.
    """

    type: ClassVar[str] = "border.change_requested.v1"
    booking_id: UUID
    number: int
    start: datetime
    end: datetime
    quantity: int
    note: str

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderChangeWithdrawn(Event):
    """Our member no longer asks for the change of that number. It may cross your yes: then the booking has moved."""

    type: ClassVar[str] = "border.change_withdrawn.v1"
    booking_id: UUID
    number: int

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderChangeAnswered(Event):
    """Our member says yes or no to your proposal of that number; what came of it is in the state that you tell next."""

    type: ClassVar[str] = "border.change_answered.v1"
    booking_id: UUID
    number: int
    accepted: bool

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderUseReported(Event):
    """Our member says that they have come, or have given it back. Your clock and your rules decide."""

    type: ClassVar[str] = "border.use_reported.v1"
    booking_id: UUID
    step: UseStep

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderBookingAnswered(Event):
    """The state of your member's booking of our resource, whole. `version` rises with every change on our side.

    `owner_name` and `place_label` (the exact address) are there from the confirmation on. `use` says more than
    `status`, for readers that know it: a booking in use or overdue is still "confirmed" to the others, one to which
    nobody came is "completed". `value`: what the completed use was worth to the owner. `start_at_risk`: the one before
    is late. `change_decided`: up to which number your wishes for a change are decided (the period says how),
    `change_reason`: why the last one was not granted. `withdrawals_heard`: up to which number your withdrawals were
    heard: a booking that is not cancelled then stands. `quantity`, and `offer_id` (which resource): None from those who
    do not tell it yet. `proposal`: what we ask your member to move it to; gone once that is decided, whichever way.
    """

    type: ClassVar[str] = "border.booking_answered.v1"
    booking_id: UUID
    status: AnswerStatus
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
    offer_id: UUID | None = None

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class BorderContactShared(Event):
    """Name and address of our person in a confirmed booking, so that the two can meet."""

    type: ClassVar[str] = "border.contact_shared.v1"
    booking_id: UUID
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.booking_id)

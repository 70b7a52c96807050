"""The life of every booking."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.booking.resources import Price
from contracts.booking.values import UsedValue
from contracts.envelope import Data, Event

Status = Literal[
    "held",
    "pending",
    "confirmed",
    "declined",
    "cancelling",
    "cancelled",
    "expired",
    "in_use",
    "completed",
    "no_show",
    "overdue",
]


class Party(Data):
    """Who takes part in a booking.

    `member_id` when it is one of ours, else None; `peer_id` and `pseudonym` when the person belongs to a linked
    cooperative. `name` is None until it may be known (least data: only once the booking is confirmed).
    """

    member_id: UUID | None = None
    name: str | None = None
    peer_id: str | None = None
    peer_name: str | None = None
    pseudonym: str | None = None


class SeriesPlace(Data):
    """Which one of a series a booking is: the `position`th (from 1) `of` as many as were booked together."""

    id: UUID
    position: int
    of: int


class ChangeState(Data):
    """What a booking is asked to become. `by_owner`: the owner's side asks the borrower; else the other way round.

    `number`: across the border, which wish of the borrower it is, or which proposal of the owner; the last one counts.
    `withdrawn`: no longer asked for, until the peer has answered. `accepted`: what the borrower has said to a peer's
    proposal, until the peer has heard it.
    """

    start: datetime
    end: datetime
    quantity: int
    note: str
    by_owner: bool
    decide_by: datetime
    number: int = 0
    withdrawn: bool = False
    accepted: bool | None = None


class BookingState(Data):
    """A booking, whole.

    `resource_origin` is None when the resource is ours, else the instance id of the peer that decides;
    `origin_name` is that peer's name. `start`/`end` are UTC, `time_zone` the resource's. `decide_by`: after this
    instant a pending booking is not confirmed any more. `version` rises with every change (iCalendar SEQUENCE).
    `grace_minutes`: until how long after the start one may arrive, None where nobody checks in. `checked_in_at` and
    `checked_out_at`: when it was really used. `value`: what a completed use was worth, None when nobody set a price.
    `approvals`: how many have said yes while more must. `circle_name`: the borrower's circle on whose behalf it is.
    `instructions`: what to know for the use, once it is confirmed. `series`: where it was booked as one of many.
    Across the border: `change_decided`: up to which number the changes that the borrower's side asked for are decided;
    `change_reason`: why the last one was refused. `withdrawal_number`: the last time that the borrower's side asked to
    call it off (there), and was heard (here).
    `private`: it is for the two concerned alone. `proposal`: what its owner asks a peer's person to move it to.
    """

    id: UUID
    offer_id: UUID
    offer_title: str
    resource_origin: str | None
    origin_name: str | None
    borrower: Party
    owner: Party
    start: datetime
    end: datetime
    time_zone: str
    place_label: str | None
    quantity: int
    note: str
    status: Status
    reason: str | None
    decide_by: datetime | None
    version: int
    changed_at: datetime
    grace_minutes: int | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    value: UsedValue | None = None
    approvals: int = 0
    approved_by: tuple[UUID, ...] = ()
    circle_id: UUID | None = None
    circle_name: str | None = None
    price: Price | None = None
    instructions: str = ""
    series: SeriesPlace | None = None
    change_decided: int = 0
    change_reason: str | None = None
    withdrawal_number: int = 0
    private: bool = False
    proposal: ChangeState | None = None


class BookingEvent(Event):
    """Anything that happened to a booking.

    `together`: the act on a series that this was one effect of; an event about the series tells people once of all.
    """

    booking: BookingState
    together: UUID | None = None

    @property
    def subject(self) -> str:
        return str(self.booking.id)


class BookingRequested(BookingEvent):
    """A booking waits for a decision, here or (when `resource_origin` is set) at the peer."""

    type: ClassVar[str] = "booking.requested.v1"


class BookingConfirmed(BookingEvent):
    """The origin has said yes; again when it is used (`in_use`) and when it is not given back in time (`overdue`)."""

    type: ClassVar[str] = "booking.confirmed.v1"


class BookingDeclined(BookingEvent):
    """The origin has said no; `booking.reason` may say why."""

    type: ClassVar[str] = "booking.declined.v1"


class BookingCancellationAsked(BookingEvent):
    """A member wants to withdraw a booking of a peer's resource; it ends when the peer answers (`cancelling`)."""

    type: ClassVar[str] = "booking.cancellation_asked.v1"


class BookingCancellationRefused(BookingEvent):
    """The peer did not accept that a booking be called off (its notice has begun): it stands."""

    type: ClassVar[str] = "booking.cancellation_refused.v1"


class BookingCancelled(BookingEvent):
    """A booking was called off before or after confirmation. `by` says by which side."""

    type: ClassVar[str] = "booking.cancelled.v1"
    by: Literal["borrower", "owner", "system"]


class BookingChangeAsked(BookingEvent):
    """A change of period or quantity waits for an answer; the booking stays as it is until then."""

    type: ClassVar[str] = "booking.change_asked.v1"
    change: ChangeState


class BookingChangeWithdrawalAsked(BookingEvent):
    """A member no longer asks to move a booking of a peer's resource; only the peer's answer ends the wish."""

    type: ClassVar[str] = "booking.change_withdrawal_asked.v1"
    change: ChangeState


class BookingChangeAnswered(BookingEvent):
    """A member says yes or no to what the owner at a peer proposes; the booking stays until the peer has heard it."""

    type: ClassVar[str] = "booking.change_answered.v1"
    change: ChangeState
    accepted: bool


class BookingChangeRefused(BookingEvent):
    """The booking stays as it is: refused, no longer asked for (`by` the side that asked), or not answered in time."""

    type: ClassVar[str] = "booking.change_refused.v1"
    by: Literal["borrower", "owner", "system"]
    expired: bool = False


class BookingMoved(BookingEvent):
    """The booking has a new period or quantity, after a change asked for by that side."""

    type: ClassVar[str] = "booking.moved.v1"
    by: Literal["borrower", "owner", "system"]


class BookingExpired(BookingEvent):
    """Nobody decided in time."""

    type: ClassVar[str] = "booking.expired.v1"


class BookingCompleted(BookingEvent):
    """A confirmed booking is over: used, or nobody came (`no_show`)."""

    type: ClassVar[str] = "booking.completed.v1"

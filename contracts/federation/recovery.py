"""What is said after an instance has come back from a backup: that it waits, and what peers hand back to it."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.federation.received import BookingAnswerReceived, BookingRequestReceived, Received


class RecoveryChanged(Event):
    """This instance was restored from a backup, or is whole again.

    While `recovering`, nothing new is confirmed on what peers may book too: their answers may bring back bookings that
    we have forgotten. `version` rises with every change.
    """

    type: ClassVar[str] = "federation.recovery_changed.v1"
    recovering: bool
    since: datetime
    version: int

    @property
    def subject(self) -> str:
        return "recovery"


class BookingReadmitted(BookingRequestReceived):
    """A peer handed back a booking that we had confirmed ourselves (our own signature says so) and may have lost.

    `status` and `version` are those of our answer; `change_decided`, `withdrawals_heard`: up to which of the peer's
    wishes, and withdrawals, it had answered.
    """

    type: ClassVar[str] = "federation.booking_readmitted.v1"
    status: Literal["pending", "confirmed"]
    version: int
    change_decided: int = 0
    withdrawals_heard: int = 0


class BookingEndHandedBack(BookingRequestReceived):
    """A peer handed back that we had ended a booking ourselves (our own signature says so), which may stand here again.

    `status`, `version` and `reason` are those of our answer, and `start`, `end`, `quantity` what it was for then;
    `change_decided`, `withdrawals_heard` as in `BookingReadmitted`. `note` is empty: nobody needs it any more.
    """

    type: ClassVar[str] = "federation.booking_end_handed_back.v1"
    status: Literal["declined", "cancelled", "expired"]
    version: int
    reason: str | None = None
    change_decided: int = 0
    withdrawals_heard: int = 0


class BookingHandedBack(Received):
    """A peer handed back what our member asked of it (our own signature says so), and we may have forgotten.

    `start`, `end`, `quantity`: as they were asked for; `answer`: how it stands there, None while that is not decided.
    """

    type: ClassVar[str] = "federation.booking_handed_back.v1"
    booking_id: UUID
    offer_id: UUID
    member_id: UUID
    start: datetime
    end: datetime
    quantity: int
    note: str
    decide_by: datetime
    answer: BookingAnswerReceived | None

    @property
    def subject(self) -> str:
        return str(self.booking_id)

"""How bookings are used, and the warning to whoever comes next."""

from typing import ClassVar, Literal

from contracts.booking.bookings import BookingEvent

UseState = Literal["in_use", "overdue", "no_show"]
"""How a booking is used, as peers are told beside the states that their first readers know."""


UseStep = Literal["check_in", "check_out"]
"""What the borrower of a peer's resource says: it is there, it was given back."""


class BookingUseAsked(BookingEvent):
    """The borrower of a peer's resource says that they have come or have given it back; the peer's answer counts."""

    type: ClassVar[str] = "booking.use_asked.v1"
    step: UseStep


class BookingStartAtRisk(BookingEvent):
    """The booking before this one is overdue and takes the place that this one needs soon. Said once for a booking."""

    type: ClassVar[str] = "booking.start_at_risk.v1"

"""What the peer that decides says of a booking of our member."""

from dataclasses import dataclass

from contracts.booking import Status
from services.booking.domain.spans import Span
from services.booking.domain.states import Side


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How the booking stands there. `withdrawals_heard`: up to which number our wishes to call it off were heard.

    `moved_by`: whose wish it was, when the period is another.
    """

    status: Status
    period: Span
    quantity: int
    reason: str | None
    withdrawals_heard: int
    moved_by: Side = "borrower"

"""Changing a booking that is made: who may ask, who answers, and what nobody needs to be asked about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.booking import Approval, ChangeState
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person, may_read, would_decide
from services.booking.domain.limits import CannotChange
from services.booking.domain.problems import NotYourDecision
from services.booking.domain.spans import Span


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a booking is asked to become, by the owner's side (`by_owner`) or the borrower, until `decide_by`.

    At a peer's resource, `number`: which wish of the borrower it is, or which proposal of the owner; `withdrawn`: the
    peer was told to forget it; `accepted`: what our member has said to the proposal. `together`: what those of a series
    have in common that are asked for in one step, and answered so.
    """

    period: Span
    quantity: int
    note: str
    by_owner: bool
    decide_by: datetime
    number: int = 0
    withdrawn: bool = False
    accepted: bool | None = None
    together: UUID | None = None

    def state(self) -> ChangeState:
        """What is said of it."""
        return ChangeState(
            start=self.period.start,
            end=self.period.end,
            quantity=self.quantity,
            note=self.note,
            by_owner=self.by_owner,
            decide_by=self.decide_by,
            number=self.number,
            withdrawn=self.withdrawn,
            accepted=self.accepted,
        )


def check_may_change(booking: Booking, person: Person, now: datetime) -> None:
    """Raises CannotChange unless it is still to come and this person's to move: what is lent, also to a guest."""
    to_come = booking.status in {"pending", "confirmed"} and now < booking.starts_at
    mine = booking.borrower_member_id == person.id
    lends = booking.status == "confirmed" and booking.is_ours and may_read(booking, person)
    if not (to_come and (mine or lends)):
        raise CannotChange(booking_status=booking.status)


def decided_at_once(booking: Booking, period: Span, quantity: int, *, approval: Approval, by_owner: bool) -> bool:
    """Whether nobody must be asked: a request that waits, a rule that asks nobody, or less of what was agreed."""
    if by_owner:
        return False
    less = booking.period.contains(period) and quantity <= booking.quantity
    return booking.status == "pending" or approval == "automatic" or less


def check_may_answer(booking: Booking, change: Change, person: Person, approval: Approval, *, withdraw: bool) -> None:
    """The other side answers, the asking side withdraws. Raises NotYourDecision."""
    is_borrower = booking.borrower_member_id == person.id
    if change.withdrawn or change.accepted is not None:
        raise NotYourDecision
    answers_as_borrower = change.by_owner != withdraw
    if is_borrower != answers_as_borrower or (not is_borrower and not would_decide(booking, person, approval)):
        raise NotYourDecision


def may_answer(booking: Booking, change: Change, person: Person, approval: Approval, *, withdraw: bool) -> bool:
    """Whether `check_may_answer` lets this person."""
    try:
        check_may_answer(booking, change, person, approval, withdraw=withdraw)
    except NotYourDecision:
        return False
    return True

"""A booking and its life (see the states in the domain's description)."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import (
    BookingCancellationRefused,
    BookingChangeAnswered,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingChangeWithdrawalAsked,
    BookingEvent,
    BookingMoved,
    BookingState,
    ChangeState,
    Status,
)
from services.booking.domain.answers import Answer
from services.booking.domain.prices import Value, minutes_of, value_of
from services.booking.domain.problems import AlreadyDecided, CannotCancel, TooLate
from services.booking.domain.spans import Span
from services.booking.domain.states import AGREED, OPEN, Side, state_of, told


@dataclass(eq=False, kw_only=True)
class Booking:
    """A booking of our resource (by our member or a peer's), or our member's booking of a peer's resource.

    `resource_origin`: the peer that decides, None for ours. `borrower_peer_id`: the peer whose member asked, else None.
    `occupied`: the period with the buffers of the day it was booked; None where nothing is occupied here.
    `private`: nobody but the two concerned sees it.
    `circle_id`: the circle of ours on whose behalf it is. `remote_version`: the newest version of the peer's answer
    that was applied. `grace_minutes`: how long after the start people may arrive, None where they need not say so.
    `told_value` (kept nowhere): what the peer said that the use was worth, in the transaction that completes it.
    `waiting_id`: the wish of a waiting list that it came from; while `held`, the place is kept for that wish.
    `price`, `instructions`, `cancel_notice_minutes`: as they were when it was booked. `approved_by`: who has said yes
    while more must. `occurrence`: where it is one of a series, the instant at which its rule begins it, wherever it was
    moved.
    Across the border, `change_number` and `withdrawal_number` count what its borrower asked (there) and what of it was
    heard (here); `change_decided`: up to which number changes are decided, `change_reason` why the last was refused.
    `proposal`: what its owner asks a peer's person to move it to (here), numbered by the version that said so.
    """

    id: UUID
    offer_id: UUID
    offer_title: str
    resource_origin: str | None
    origin_name: str | None
    borrower_member_id: UUID | None
    borrower_name: str | None
    borrower_peer_id: str | None
    borrower_peer_name: str | None
    borrower_pseudonym: str | None
    owner_member_id: UUID | None
    owner_name: str | None
    starts_at: datetime
    ends_at: datetime
    occupied: Span | None
    exclusive: bool
    time_zone: str
    place_label: str | None
    quantity: int
    note: str
    circle_id: UUID | None = None
    circle_name: str | None = None
    price: dict[str, Any] | None = None
    instructions: str = ""
    cancel_notice_minutes: int = 0
    private: bool = False
    approved_by: list[UUID] = field(default_factory=list[UUID])
    waiting_id: UUID | None = None
    series_id: UUID | None = None
    series_position: int | None = None
    series_size: int | None = None
    occurrence: datetime | None = None
    status: Status
    reason: str | None
    decide_by: datetime | None
    remote_version: int
    version: int
    created_at: datetime
    changed_at: datetime
    grace_minutes: int | None = None
    check_in_code: str | None = None
    wrong_codes: int = 0
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    change_number: int = 0
    change_decided: int = 0
    change_reason: str | None = None
    withdrawal_number: int = 0
    proposal: dict[str, Any] | None = None
    told_value: Value | None = None

    @property
    def period(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def is_ours(self) -> bool:
        """Whether the decision is made here."""
        return self.resource_origin is None

    @property
    def crosses(self) -> bool:
        """Whether the two people belong to two cooperatives."""
        return not self.is_ours or self.borrower_peer_id is not None

    @property
    def used(self) -> Span:
        """When it was used: from arrival to return where people say so, else the whole period."""
        start = self.checked_in_at or self.starts_at
        return Span(start, max(self.checked_out_at or self.ends_at, start))

    @property
    def worth(self) -> Value | None:
        """What the use was worth, once it is completed: by its price; at a peer's resource, as the peer said."""
        if self.status != "completed":
            return None
        return self.told_value or value_of(self.price, minutes=minutes_of(self.used), quantity=self.quantity)

    def asked(self) -> BookingEvent:
        """The event that tells of this booking as it is now."""
        return told(self)

    def confirm(self, *, now: datetime, by: UUID | None = None, needed: int = 1) -> BookingEvent:
        """A yes; confirmed once `needed` different people have said it. Raises AlreadyDecided, TooLate."""
        self._check_waits()
        if self.decide_by is not None and now >= self.decide_by:
            raise TooLate
        if by is not None and by in self.approved_by:
            raise AlreadyDecided(booking_status=self.status)
        if by is not None:
            self.approved_by = [*self.approved_by, by]
        return self._become("confirmed" if len(self.approved_by) >= needed or by is None else "pending", now)

    def decline(self, *, reason: str | None, now: datetime) -> BookingEvent:
        """Raises AlreadyDecided."""
        self._check_waits()
        return self._become("declined", now, reason=reason)

    def expire(self, *, now: datetime) -> BookingEvent:
        """Nobody decided in time. Raises AlreadyDecided."""
        self._check_waits()
        return self._become("expired", now)

    def complete(self, *, now: datetime) -> BookingEvent:
        """The period is over."""
        return self._become("completed", now)

    def turn(self, status: Status, *, now: datetime) -> BookingEvent:
        """Take the next step of a use, as `domain/use.py` rules."""
        return self._become(status, now)

    def count_change(self, now: datetime) -> None:
        """Something about it is said anew, though its state stays."""
        self.version += 1
        self.changed_at = now

    def cancel(self, *, by: Side, reason: str | None, now: datetime) -> BookingEvent:
        """Call it off, or ask the peer to (`cancelling`). Raises CannotCancel."""
        if not self.may_be_cancelled(now):
            raise CannotCancel(booking_status=self.status)
        if not self.is_ours and by != "system":
            self.withdrawal_number += 1
            return self._become("cancelling", now, reason=reason)
        return self._become("cancelled", now, reason=reason, by=by)

    def cancellation_refused(self, *, now: datetime) -> BookingEvent:
        """It stands, although its borrower at a peer has asked to call it off."""
        self._count(now)
        return BookingCancellationRefused(booking=self.state())

    def change_asked(self, change: ChangeState, *, now: datetime) -> BookingEvent:
        """Somebody asks to move it; it stays as it is until that is decided.

        What a peer's person wished before is decided by what the owner proposes to them instead.
        """
        self._count(now)
        self.proposal = None
        if change.by_owner and self.borrower_peer_id is not None:
            change = change.model_copy(update={"number": self.version})
            self.change_decided, self.change_reason = self.change_number, None
            self.proposal = change.model_dump(mode="json")
        return BookingChangeAsked(booking=self.state(), change=change)

    def change_withdrawal_asked(self, change: ChangeState) -> BookingEvent:
        """The borrower no longer asks a peer to move it; nothing changes before the peer has answered."""
        return BookingChangeWithdrawalAsked(booking=self.state(), change=change)

    def change_answered(self, change: ChangeState, *, accepted: bool) -> BookingEvent:
        """The borrower says yes or no to what a peer proposes; nothing changes before the peer has heard it."""
        return BookingChangeAnswered(booking=self.state(), change=change, accepted=accepted)

    def change_refused(self, *, by: Side, now: datetime, reason: str | None = None) -> BookingEvent:
        """It stays as it is: refused, no longer asked for (`by` the asking side), or not answered in time (system)."""
        self.change_decided, self.change_reason, self.proposal = self.change_number, reason, None
        self._count(now)
        return BookingChangeRefused(booking=self.state(), by=by, expired=by == "system")

    def move(self, period: Span, quantity: int, occupied: Span, *, by: Side, now: datetime) -> BookingEvent:
        """Take the new period in place of the old one."""
        self.starts_at, self.ends_at, self.occupied, self.quantity = period.start, period.end, occupied, quantity
        self.change_decided, self.change_reason, self.proposal = self.change_number, None, None
        self._count(now)
        return BookingMoved(booking=self.state(), by=by)

    def as_moved(self, period: Span, quantity: int, occupied: Span) -> "Booking":
        """What it would be, apart from itself."""
        return replace(self, starts_at=period.start, ends_at=period.end, occupied=occupied, quantity=quantity)

    def end(self, *, now: datetime) -> BookingEvent:
        """Nobody is left who could decide on it: the link with the peer has ended."""
        return self._become("cancelled", now, reason=self.reason)

    def end_again(
        self, status: Status, period: Span, quantity: int, *, reason: str | None, version: int, now: datetime
    ) -> BookingEvent:
        """It is over as we had said, and had forgotten; `version` says so from here on."""
        self._take_place(period, quantity)
        self.proposal, self.version = None, version - 1
        return self._become(status, now, reason=reason)

    def hand_to_coordinators(self, *, now: datetime) -> BookingEvent:
        """The owner has left: the request waits for a coordinator (an event without an owner says so)."""
        self._check_waits()
        self.owner_member_id = self.owner_name = None
        return self._become("pending", now)

    def follow(self, answer: Answer, *, now: datetime) -> BookingEvent | None:
        """Take over what the peer that decides has said. None when that changes nothing for anybody."""
        before, status = self.status, answer.status
        same = before == status and (self.period, self.quantity) == (answer.period, answer.quantity)
        if same or self._is_behind(answer):
            return None
        self._take_place(answer.period, answer.quantity)
        if before == status:
            self._count(now)
            return BookingMoved(booking=self.state(), by=answer.moved_by)
        if before == "cancelling" and status in {"pending", "confirmed"}:
            self.status, self.reason = status, None
            return self.cancellation_refused(now=now)
        return self._become(status, now, reason=answer.reason, by="borrower" if before == "cancelling" else "owner")

    def _is_behind(self, answer: Answer) -> bool:
        """Whether `answer` says less than is known here."""
        if self.status not in OPEN or (answer.status == "pending" and self.status in AGREED):
            return True
        if self.status == "cancelling" and answer.status in {"pending", "confirmed"}:
            # they crossed: the end is still to come (what is in use is not called off any more)
            return answer.withdrawals_heard < max(self.withdrawal_number, 1)
        return answer.status == "confirmed" and self.status in {"in_use", "overdue"}

    def may_be_cancelled(self, now: datetime) -> bool:
        """Whether it can be called off at all: it waits, or it is agreed and not over."""
        return self.status == "pending" or (self.status == "confirmed" and now < self.ends_at)

    def is_within_notice(self, now: datetime) -> bool:
        """Whether the borrower may still call it off alone: what is agreed, only before the notice begins."""
        notice = timedelta(minutes=self.cancel_notice_minutes)
        return self.status == "pending" or notice == timedelta(0) or now <= self.starts_at - notice

    def state(self) -> BookingState:
        """What is said of it. Names cross, and the address to a peer, only once it is agreed (rule 6)."""
        return state_of(self)

    def _take_place(self, period: Span, quantity: int) -> None:
        """As the peer has it; buffers stay as they were."""
        if self.occupied is not None:
            before, after = self.starts_at - self.occupied.start, self.occupied.end - self.ends_at
            self.occupied = period.widened(before, after)
        self.starts_at, self.ends_at, self.quantity = period.start, period.end, quantity

    def _check_waits(self) -> None:
        if self.status != "pending":
            raise AlreadyDecided(booking_status=self.status)

    def _become(self, status: Status, now: datetime, *, reason: str | None = None, by: Side = "system") -> BookingEvent:
        self.status = status
        self.reason = reason
        self._count(now)
        return told(self, by=by)

    def _count(self, now: datetime) -> None:
        self.version += 1
        self.changed_at = now

"""A wish that waits for a period that is taken, and its life."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.booking import PlaceOffered, WaitingChanged, WaitingState, WaitingStatus
from services.booking.domain.availability import Rules
from services.booking.domain.line import Wish
from services.booking.domain.spans import Span
from services.chassis.problems import Problem, Text

OPEN_WISHES: tuple[WaitingStatus, ...] = ("waiting", "offered")
"""Something may still happen to a wish in one of these states."""


@dataclass(eq=False, kw_only=True)
class Entry:
    """A member waits for a period of our resource; `number` is the order of arrival (set by the database).

    `accept_minutes`: how long an offered place may be accepted, as it was promised when the member came.
    `passed_over`, `kept_until`: see `domain/line.py`. `booking_id`: the place that is kept, later the booking.
    """

    id: UUID
    number: int | None = None
    offer_id: UUID
    offer_title: str
    member_id: UUID
    member_name: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    quantity: int
    note: str
    accept_minutes: int
    status: WaitingStatus = "waiting"
    passed_over: bool = False
    kept_until: datetime | None = None
    accept_by: datetime | None = None
    booking_id: UUID | None = None
    version: int = 1
    created_at: datetime
    changed_at: datetime

    @property
    def period(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    def wish(self, rules: Rules) -> Wish:
        """What is wished for, under the rules as they are now."""
        return Wish(
            id=self.id,
            occupied=rules.occupied(self.period),
            quantity=self.quantity,
            last=self.starts_at - timedelta(minutes=rules.lead_minutes),
            patience=timedelta(minutes=self.accept_minutes),
            passed_over=self.passed_over,
            kept_until=self.kept_until,
        )

    def follow(self, wish: Wish) -> None:
        """Take over the state in which a handing out has left the wish. Nobody is told."""
        self.passed_over, self.kept_until = wish.passed_over, wish.kept_until

    def joined(self) -> WaitingChanged:
        """The event that tells of it as it is now."""
        return WaitingChanged(waiting=self.state())

    def offer(self, booking_id: UUID, *, accept_by: datetime, now: datetime) -> PlaceOffered:
        """A place is kept for the member until `accept_by`."""
        self.status, self.accept_by, self.booking_id = "offered", accept_by, booking_id
        self.passed_over, self.kept_until = False, None
        self._count(now)
        return PlaceOffered(waiting=self.state())

    def check_may_accept(self, now: datetime) -> None:
        """Raises AcceptedTooLate, NothingOffered."""
        if self.status == "lapsed" or (
            self.status == "offered" and self.accept_by is not None and now >= self.accept_by
        ):
            raise AcceptedTooLate
        if self.status != "offered":
            raise NothingOffered

    def accept(self, booking_id: UUID, *, now: datetime) -> WaitingChanged:
        """The place has become this booking."""
        self.booking_id = booking_id
        return self._become("accepted", now)

    def leave(self, *, now: datetime) -> WaitingChanged:
        """The member waits no more. Raises NotWaiting."""
        if self.status not in OPEN_WISHES:
            raise NotWaiting
        return self._become("left", now)

    def lapse(self, *, now: datetime) -> WaitingChanged:
        """The place was not accepted in time."""
        return self._become("lapsed", now)

    def end(self, *, now: datetime) -> WaitingChanged:
        """Nothing can come of it any more."""
        return self._become("ended", now)

    def state(self) -> WaitingState:
        """What is said of it: without the note, which the owner reads in the booking that it becomes."""
        return WaitingState(
            id=self.id,
            offer_id=self.offer_id,
            offer_title=self.offer_title,
            member_id=self.member_id,
            member_name=self.member_name,
            start=self.starts_at,
            end=self.ends_at,
            time_zone=self.time_zone,
            quantity=self.quantity,
            status=self.status,
            accept_by=self.accept_by,
            booking_id=self.booking_id if self.status == "accepted" else None,
            version=self.version,
            changed_at=self.changed_at,
        )

    def _become(self, status: WaitingStatus, now: datetime) -> WaitingChanged:
        self.status, self.kept_until = status, None
        self._count(now)
        return WaitingChanged(waiting=self.state())

    def _count(self, now: datetime) -> None:
        self.version += 1
        self.changed_at = now


class FreeNow(Problem):
    """Nobody has to wait: the period is free."""

    status = 409
    slug = "booking/free-now"
    text = Text(
        fr="Cette période est libre : réservez-la directement.",
        en="This period is free: book it right away.",
        nl="Deze periode is vrij: reserveer ze meteen.",
    )


class AlreadyWaiting(Problem):
    """The member waits already for some of the same time of the same offer. Carries `waiting_id`."""

    status = 409
    slug = "booking/already-waiting"
    text = Text(
        fr="Vous attendez déjà une place à ce moment-là.",
        en="You are already waiting for a place at that time.",
        nl="U wacht al op een plaats op dat moment.",
    )


class TooManyWishes(Problem):
    """A member waits for `limit` periods at the most."""

    status = 409
    slug = "booking/too-many-wishes"
    text = Text(
        fr="Vous êtes déjà sur {limit} listes d'attente. Quittez-en une d'abord.",
        en="You are already on {limit} waiting lists. Leave one of them first.",
        nl="U staat al op {limit} wachtlijsten. Verlaat er eerst een.",
    )


class NoWaitingAcrossBorder(Problem):
    """Waiting lists stay within one cooperative."""

    status = 409
    slug = "booking/no-waiting-across-border"
    text = Text(
        fr="Une liste d'attente reste dans sa coopérative : choisissez une autre période ou une offre semblable.",
        en="Waiting lists stay within one cooperative: choose another period or a similar offer.",
        nl="Een wachtlijst blijft binnen een coöperatie: kies een andere periode of een gelijkaardig aanbod.",
    )


class AcceptedTooLate(Problem):
    """The time to accept is over; the place has gone on to the next."""

    status = 410
    slug = "booking/accepted-too-late"
    text = Text(
        fr="Le délai pour accepter est passé : la place a été proposée à la personne suivante.",
        en="The time to accept is over: the place has been offered to the next person.",
        nl="De termijn om te aanvaarden is voorbij: de plaats werd aan de volgende aangeboden.",
    )


class NothingOffered(Problem):
    """No place is offered for this wish (any more)."""

    status = 409
    slug = "booking/nothing-offered"
    text = Text(
        fr="Aucune place ne vous est proposée pour le moment.",
        en="No place is being offered to you at the moment.",
        nl="Er wordt u momenteel geen plaats aangeboden.",
    )


class NotWaiting(Problem):
    """The wish is over already."""

    status = 409
    slug = "booking/not-waiting"
    text = Text(
        fr="Vous n'êtes plus sur cette liste d'attente.",
        en="You are no longer on this waiting list.",
        nl="U staat niet meer op deze wachtlijst.",
    )

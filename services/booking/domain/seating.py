"""Who sits where: seats by role, and a waiting list for each role in the order of arrival.

The rule of rotation, where a session has a rotating role (the *client* of co-development). Whoever holds that seat at
the session before or after this one (of the same series, else of the same circle) lets the others go first: until
48 hours before the start they wait at the end of the list, whenever they came, even while the seat is free. From then
on a seat that nobody else wants is theirs like anybody's. So nobody is kept waiting for somebody who never comes, and
two sessions in a row with one client happen only when nobody else asked.
Source: the group's own practice, "who was the client last time waits" (stories, 6).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import SeatStatus, SessionRole, SessionSeat, SessionState, SessionStep
from services.booking.domain.planned_session import PlannedSession
from services.booking.domain.session_problems import AlreadySignedUp, NothingOffered, NotSignedUp

ROTATION_KEPT = timedelta(hours=48)
"""How long before the start the rotating seat is kept for those who did not hold it last time."""

ACTIVE: tuple[SeatStatus, ...] = ("taken", "offered", "waiting")
HOLDING: tuple[SeatStatus, ...] = ("taken", "offered")
"""Somebody who is in one of these states has a seat with a number; nobody else can have that one."""


@dataclass(eq=False, kw_only=True)
class SignUp:
    """One person's seat or place in the list. `number` rises with arrival; `seat` is set while one is held."""

    id: UUID
    number: int
    member_id: UUID
    member_name: str
    role: str
    state: SeatStatus
    seat: int | None
    accept_by: datetime | None
    answers: dict[str, Any]
    changed_at: datetime


@dataclass(eq=False, kw_only=True)
class Seating:
    """The active sign-ups of one session, in order of arrival, and what has `changed` since they were read.

    `last_holders`: who has the rotating seat at the session before or after.
    """

    planned: PlannedSession
    sign_ups: list[SignUp]
    last_holders: frozenset[UUID] = frozenset()
    changed: list[SignUp] = field(default_factory=list[SignUp])

    def of(self, member_id: UUID) -> SignUp | None:
        """What this person has: a seat, an offer or a place in the list."""
        return next((one for one in self.sign_ups if one.member_id == member_id and one.state in ACTIVE), None)

    def held(self, role: str) -> list[SignUp]:
        """Who has a seat of `role`, or is offered one."""
        return [one for one in self.sign_ups if one.role == role and one.state in HOLDING]

    def count(self, role: str, state: SeatStatus) -> int:
        return sum(one.role == role and one.state == state for one in self.sign_ups)

    def queue(self, role: str) -> list[SignUp]:
        """Who waits for a seat of `role`, the next one first."""
        waiting = [one for one in self.sign_ups if one.role == role and one.state == "waiting"]
        return sorted(waiting, key=lambda one: (self.goes_last(one.member_id, role), one.number))

    def position(self, sign_up: SignUp) -> int | None:
        """1 for the next in the list; None for somebody who does not wait."""
        return self.queue(sign_up.role).index(sign_up) + 1 if sign_up.state == "waiting" else None

    def goes_last(self, member_id: UUID, role: str) -> bool:
        """Whether rotation lets everybody else go before this person."""
        return role == self.planned.rotating_role and member_id in self.last_holders

    def must_wait(self, member_id: UUID, role: str, now: datetime) -> bool:
        """Whether this person cannot have a seat of `role` yet, even a free one."""
        return self.goes_last(member_id, role) and now < self.planned.starts_at - ROTATION_KEPT

    def arrive(self, sign_up: SignUp, now: datetime) -> None:
        """Somebody signs up: a free seat is theirs at once, else they wait. Raises AlreadySignedUp."""
        if self.of(sign_up.member_id) is not None:
            raise AlreadySignedUp
        seat = self._free_seat(sign_up.role)
        if seat is not None and not self.must_wait(sign_up.member_id, sign_up.role, now):
            self._become(sign_up, "taken", now, seat=seat)
        else:
            self._become(sign_up, "waiting", now)
        self.sign_ups.append(sign_up)

    def accept(self, member_id: UUID, now: datetime) -> None:
        """Take the seat that was offered. Raises NothingOffered."""
        mine = self.of(member_id)
        if mine is None or mine.state != "offered" or (mine.accept_by is not None and now >= mine.accept_by):
            raise NothingOffered
        self._become(mine, "taken", now, seat=mine.seat)

    def leave(self, member_id: UUID, now: datetime) -> None:
        """Give up a seat, an offer or a place in the list. Raises NotSignedUp."""
        mine = self.of(member_id)
        if mine is None:
            raise NotSignedUp
        self._become(mine, "left", now)

    def pass_on(self, now: datetime) -> None:
        """Let offers pass whose time is over, and offer every free seat to the next in line."""
        for one in self.sign_ups:
            if one.state == "offered" and one.accept_by is not None and one.accept_by <= now:
                self._become(one, "missed", now)
        if now >= self.planned.starts_at or self.planned.status == "cancelled":
            return
        accept_by = min(now + timedelta(hours=self.planned.accept_hours), self.planned.starts_at)
        for role in self.planned.roles:
            for one in self.queue(role.code):
                seat = self._free_seat(role.code)
                if seat is None:
                    break
                if not self.must_wait(one.member_id, role.code, now):
                    self._become(one, "offered", now, seat=seat, accept_by=accept_by)

    def keep_offers_within(self, now: datetime) -> None:
        """After a move: no offer outlasts the start."""
        for one in self.sign_ups:
            if one.state == "offered" and one.accept_by is not None and one.accept_by > self.planned.starts_at:
                self._become(one, "offered", now, seat=one.seat, accept_by=self.planned.starts_at)

    def close_ranks(self) -> list[SignUp]:
        """Number the held seats of each role from 1 without gaps, so that the last ones can be taken away."""
        moved: list[SignUp] = []
        for role in self.planned.roles:
            for seat, one in enumerate(sorted(self.held(role.code), key=lambda one: one.seat or 0), start=1):
                if one.seat != seat:
                    one.seat = seat
                    moved.append(one)
        return moved

    def is_short(self) -> bool:
        """Whether a role has fewer people than it needs."""
        return any(self.count(role.code, "taken") < role.minimum for role in self.planned.roles)

    def seated(self) -> list[UUID]:
        """Who has taken a seat."""
        return [one.member_id for one in self.sign_ups if one.state == "taken"]

    def _free_seat(self, role: str) -> int | None:
        wanted = self.planned.role(role)
        used = {one.seat for one in self.held(role)}
        return next((seat for seat in range(1, (wanted.maximum if wanted else 0) + 1) if seat not in used), None)

    def _become(
        self,
        sign_up: SignUp,
        state: SeatStatus,
        now: datetime,
        *,
        seat: int | None = None,
        accept_by: datetime | None = None,
    ) -> None:
        sign_up.state, sign_up.seat, sign_up.accept_by, sign_up.changed_at = state, seat, accept_by, now
        self.changed.append(sign_up)


def state_of(seating: Seating, *, version: int | None = None) -> SessionState:
    """What is said of a session: seats are counted, nobody who takes one is named."""
    planned = seating.planned
    return SessionState(
        id=planned.id,
        series_id=planned.series_id,
        template=planned.template,
        title=planned.title,
        text=planned.text,
        start=planned.starts_at,
        end=planned.ends_at,
        time_zone=planned.time_zone,
        place_label=planned.place_label,
        has_video=planned.video_url is not None,
        organiser_member_id=planned.organiser_member_id,
        organiser_name=None if planned.private else planned.organiser_name,
        circle_id=planned.circle_id,
        circle_name=planned.circle_name,
        audience=planned.audience,
        audience_circle_ids=planned.audience_circle_ids,
        private=planned.private,
        confidentiality=planned.confidentiality,
        roles=list(_roles(seating)),
        steps=[SessionStep(title=step.title, minutes=step.minutes) for step in planned.steps],
        status=planned.status,
        reason=planned.reason,
        version=planned.version if version is None else version,
        changed_at=planned.changed_at,
    )


def seat_of(seating: Seating, sign_up: SignUp) -> SessionSeat:
    """What is said to one person of their own seat."""
    role = seating.planned.role(sign_up.role)
    return SessionSeat(
        member_id=sign_up.member_id,
        role=sign_up.role,
        role_label=role.label if role else sign_up.role,
        state=sign_up.state,
        accept_by=sign_up.accept_by,
        position=seating.position(sign_up),
        video_url=seating.planned.video_url if sign_up.state == "taken" else None,
    )


def _roles(seating: Seating) -> Iterable[SessionRole]:
    for role in seating.planned.roles:
        taken, offered, waiting = (seating.count(role.code, state) for state in ACTIVE)
        yield SessionRole(
            code=role.code,
            label=role.label,
            minimum=role.minimum,
            maximum=role.maximum,
            taken=taken,
            offered=offered,
            waiting=waiting,
        )

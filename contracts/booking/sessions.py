"""Sessions: meetings with seats by role, who holds one, and the word said a day before."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Data, Event

SessionTemplate = Literal["co_development", "peer_mentoring", "monthly_day", "open"]
SessionStatus = Literal["planned", "cancelled"]
SessionAudience = Literal["cooperative", "circles"]
SeatStatus = Literal["taken", "waiting", "offered", "left", "missed"]


class SessionRole(Data):
    """The seats of one role. `label` is in the organiser's words; `taken`, `offered` and `waiting` count people."""

    code: str
    label: str
    minimum: int
    maximum: int
    taken: int
    offered: int
    waiting: int


class SessionStep(Data):
    """A part of the session, in order; `minutes` long."""

    title: str
    minutes: int


class SessionState(Data):
    """A session, whole, as all of its audience may know it: seats are counted, nobody who takes one is named.

    `start`/`end` are UTC, `time_zone` is IANA. `organiser_name` is None where the session is `private`. `has_video`:
    there is an address, which only those with a seat are told. `series_id` is shared by the sessions made by one rule.
    `version` rises with every change, seats included (iCalendar SEQUENCE).
    """

    id: UUID
    series_id: UUID | None
    template: SessionTemplate
    title: str
    text: str
    start: datetime
    end: datetime
    time_zone: str
    place_label: str | None
    has_video: bool
    organiser_member_id: UUID
    organiser_name: str | None
    circle_id: UUID | None
    circle_name: str | None
    audience: SessionAudience
    audience_circle_ids: list[UUID]
    private: bool
    confidentiality: str
    roles: list[SessionRole]
    steps: list[SessionStep]
    status: SessionStatus
    reason: str | None
    version: int
    changed_at: datetime


class SessionSeat(Data):
    """One person's seat in a session, or place in its waiting list.

    `accept_by`: until when an `offered` seat is kept. `position`: 1 for the next in the waiting list. `missed`: the
    offer was not taken up in time. `video_url` is told with a seat that is `taken`, and only then.
    """

    member_id: UUID
    role: str
    role_label: str
    state: SeatStatus
    accept_by: datetime | None
    position: int | None
    video_url: str | None


class SessionChanged(Event):
    """A session was planned, changed, moved or called off, or one of its seats changed."""

    type: ClassVar[str] = "booking.session_changed.v1"
    session: SessionState

    @property
    def subject(self) -> str:
        return str(self.session.id)


class SeatChanged(Event):
    """Somebody took a seat, waits for one, was offered one, left it or let the offer pass. For the person alone."""

    type: ClassVar[str] = "booking.seat_changed.v1"
    session: SessionState
    seat: SessionSeat

    @property
    def subject(self) -> str:
        return str(self.session.id)


class SessionReminder(Event):
    """A session begins within a day; said once. `member_ids`: who holds a seat. `short`: a minimum is not reached."""

    type: ClassVar[str] = "booking.session_reminder.v1"
    session: SessionState
    member_ids: list[UUID]
    video_url: str | None
    short: bool

    @property
    def subject(self) -> str:
        return str(self.session.id)

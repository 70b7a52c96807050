"""What people are shown of sessions. Built from an allow-list for each reader."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from contracts.booking import SeatStatus, SessionAudience, SessionStatus, SessionTemplate
from services.booking.domain.deciding import Person
from services.booking.domain.planned_session import Extra
from services.booking.domain.seating import ACTIVE, Seating, SignUp
from services.booking.domain.session_templates import Beginning
from services.chassis.problems import Language


class RoleView(BaseModel):
    """The seats of one role. `free`: what can be taken at once. `i_must_wait`: rotation lets others go first."""

    code: str
    label: str
    minimum: int
    maximum: int
    taken: int
    offered: int
    waiting: int
    free: int
    i_must_wait: bool


class StepView(BaseModel):
    """A part of the session, with its own start and end (UTC)."""

    title: str
    minutes: int
    start: datetime
    end: datetime


class ExtraView(BaseModel):
    """A small question; `total`: how many said yes, or the sum of the numbers, among the seats that are taken."""

    code: str
    label: str
    kind: Literal["yes_no", "number"]
    maximum: int
    total: int


class MyPlaceView(BaseModel):
    """What the reader has: a seat, an offer to accept by then, or a position in the waiting list (1: the next)."""

    role: str
    role_label: str
    state: SeatStatus
    position: int | None
    accept_by: datetime | None
    answers: dict[str, Any]


class ParticipantView(BaseModel):
    """Who takes part. `answers` for the organiser alone."""

    member_id: UUID
    name: str
    role: str
    state: SeatStatus
    position: int | None
    answers: dict[str, Any] | None


class SessionSummary(BaseModel):
    """A session in a list. `is_short` (for those who lead it): a minimum is not reached."""

    id: UUID
    series_id: UUID | None
    template: SessionTemplate
    title: str
    start: datetime
    end: datetime
    time_zone: str
    place_label: str | None
    has_video: bool
    organiser_member_id: UUID
    organiser_name: str
    circle_id: UUID | None
    circle_name: str | None
    audience: SessionAudience
    private: bool
    status: SessionStatus
    roles: list[RoleView]
    mine: MyPlaceView | None
    may_lead: bool
    may_sign_up: bool
    is_short: bool | None
    version: int


class SessionView(SessionSummary):
    """A session as one person sees it. `participants` None: they are not this reader's to see (private)."""

    text: str
    video_url: str | None
    audience_circle_ids: list[UUID]
    confidentiality: str
    rotating_role: str | None
    accept_hours: int
    steps: list[StepView]
    extras: list[ExtraView]
    participants: list[ParticipantView] | None
    reason: str | None
    changed_at: datetime


class RoleForm(BaseModel):
    """A role of a template, in the reader's language."""

    code: str
    label: str
    minimum: int
    maximum: int


class StepForm(BaseModel):
    """A step of a template."""

    title: str
    minutes: int


class ExtraForm(BaseModel):
    """A question of a template."""

    code: str
    label: str
    kind: Literal["yes_no", "number"]
    maximum: int


class BeginningView(BaseModel):
    """What a session of this template is made of unless its organiser says otherwise."""

    template: SessionTemplate
    minutes: int
    roles: list[RoleForm]
    steps: list[StepForm]
    extras: list[ExtraForm]
    confidentiality: str
    private: bool
    rotating_role: str | None
    organiser_role: str | None


def summary(seating: Seating, person: Person, now: datetime) -> SessionSummary:
    """A session for a list."""
    return SessionSummary(**_shared(seating, person, now))


def view(seating: Seating, person: Person, now: datetime) -> SessionView:
    """A session with all that `person` may know of it."""
    planned, mine = seating.planned, seating.of(person.id)
    seated = mine is not None and mine.state == "taken"
    inside = seated or person.id == planned.organiser_member_id
    return SessionView(
        **_shared(seating, person, now),
        text=planned.text,
        video_url=planned.video_url if inside else None,
        audience_circle_ids=planned.audience_circle_ids,
        confidentiality=planned.confidentiality,
        rotating_role=planned.rotating_role,
        accept_hours=planned.accept_hours,
        steps=_steps(seating),
        extras=[_extra(seating, extra) for extra in planned.extras],
        participants=_participants(seating, person, seated=seated),
        reason=planned.reason,
        changed_at=planned.changed_at,
    )


def beginning(one: Beginning, language: Language) -> BeginningView:
    """A template's defaults in the reader's language."""
    return BeginningView(
        template=one.template,
        minutes=one.minutes,
        roles=[RoleForm(**vars(role)) for role in one.roles_in(language)],
        steps=[StepForm(**vars(step)) for step in one.steps_in(language)],
        extras=[ExtraForm(**vars(extra)) for extra in one.extras_in(language)],
        confidentiality=one.confidentiality.say(language),
        private=one.private,
        rotating_role=one.rotating_role,
        organiser_role=one.organiser_role,
    )


def _shared(seating: Seating, person: Person, now: datetime) -> dict[str, Any]:
    planned, mine = seating.planned, seating.of(person.id)
    leads, ahead = planned.may_lead(person), planned.status == "planned" and now < planned.starts_at
    names = (
        "id", "series_id", "template", "title", "time_zone", "place_label", "organiser_member_id", "organiser_name",
        "circle_id", "circle_name", "audience", "private", "status", "version",
    )  # fmt: skip
    return {name: getattr(planned, name) for name in names} | {
        "start": planned.starts_at,
        "end": planned.ends_at,
        "has_video": planned.video_url is not None,
        "roles": _roles(seating, person, now),
        "mine": _mine(seating, mine) if mine is not None else None,
        "may_lead": leads,
        "may_sign_up": ahead and mine is None,
        "is_short": seating.is_short() if leads else None,
    }


def _roles(seating: Seating, person: Person, now: datetime) -> list[RoleView]:
    views: list[RoleView] = []
    for role in seating.planned.roles:
        taken, offered, waiting = (seating.count(role.code, state) for state in ACTIVE)
        views.append(
            RoleView(
                **vars(role),
                taken=taken,
                offered=offered,
                waiting=waiting,
                free=max(0, role.maximum - taken - offered),
                i_must_wait=seating.must_wait(person.id, role.code, now),
            )
        )
    return views


def _mine(seating: Seating, mine: SignUp) -> MyPlaceView:
    role = seating.planned.role(mine.role)
    return MyPlaceView(
        role=mine.role,
        role_label=role.label if role else mine.role,
        state=mine.state,
        position=seating.position(mine),
        accept_by=mine.accept_by,
        answers=mine.answers,
    )


def _steps(seating: Seating) -> list[StepView]:
    views: list[StepView] = []
    start = seating.planned.starts_at
    for step in seating.planned.steps:
        end = start + timedelta(minutes=step.minutes)
        views.append(StepView(title=step.title, minutes=step.minutes, start=start, end=end))
        start = end
    return views


def _extra(seating: Seating, extra: Extra) -> ExtraView:
    total = sum(int(one.answers.get(extra.code, 0)) for one in seating.sign_ups if one.state == "taken")
    return ExtraView(**vars(extra), total=total)


def _participants(seating: Seating, person: Person, *, seated: bool) -> list[ParticipantView] | None:
    """Those with a seat; for the organiser also who is offered one or waits, and what each has answered."""
    planned = seating.planned
    if not planned.may_see_names(person, seated=seated):
        return None
    organises = person.id == planned.organiser_member_id
    shown = [one for one in seating.sign_ups if one.state == "taken" or organises]
    return [
        ParticipantView(
            member_id=one.member_id,
            name=one.member_name,
            role=one.role,
            state=one.state,
            position=seating.position(one),
            answers=one.answers if organises else None,
        )
        for one in shown
    ]

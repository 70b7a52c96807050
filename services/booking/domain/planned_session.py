"""A session: a meeting with seats by role. What it is made of, who may see and lead it, how it changes.

(Called `PlannedSession` here because `session` is a database's session everywhere else.)
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.booking import SessionAudience, SessionStatus, SessionTemplate
from services.booking.domain.deciding import Person
from services.booking.domain.session_problems import SessionHasBegun, SessionIsCancelled
from services.chassis.problems import FieldError, InvalidFields, Text

REMINDED_BEFORE = timedelta(hours=24)
FURTHEST = timedelta(days=3 * 366)

_ENDS_FIRST = Text(
    fr="La fin doit venir après le début.",
    en="The end must come after the start.",
    nl="Het einde moet na het begin komen.",
)
_PAST = Text(fr="Ce moment est déjà passé.", en="This time is already over.", nl="Dit moment is al voorbij.")
_FAR = Text(
    fr="C'est trop loin : trois ans à l'avance au plus.",
    en="That is too far ahead: at most three years.",
    nl="Dat is te ver: hoogstens drie jaar vooraf.",
)
_LONG = Text(
    fr="Une séance dure au plus sept jours.",
    en="A session lasts seven days at most.",
    nl="Een sessie duurt hoogstens zeven dagen.",
)
_LONGEST = timedelta(days=7)
_STEPS = Text(
    fr="Les étapes durent {steps} minutes, la séance {length} : raccourcissez-les ou allongez la séance.",
    en="The steps last {steps} minutes, the session {length}: shorten them or make the session longer.",
    nl="De stappen duren {steps} minuten, de sessie {length}: kort ze in of maak de sessie langer.",
)


@dataclass(frozen=True, kw_only=True)
class Role:
    """The seats of one kind: at least `minimum` should be taken, at most `maximum` can be."""

    code: str
    label: str
    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of the session, `minutes` long."""

    title: str
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Extra:
    """A small question beside the seat: yes or no, or a number up to `maximum` (meal, carpool, children)."""

    code: str
    label: str
    kind: Literal["yes_no", "number"]
    maximum: int = 1


@dataclass(eq=False, kw_only=True)
class PlannedSession:
    """`starts_at`, `ends_at`: UTC. `time_zone`: IANA. `rotating_role`: the role whose holder changes (see `seating`).

    `accept_hours`: how long an offered seat is kept. `reminded_at`: when the day-before word was said (or not needed).
    """

    id: UUID
    series_id: UUID | None
    template: SessionTemplate
    title: str
    text: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    place_label: str | None
    video_url: str | None
    organiser_member_id: UUID
    organiser_name: str
    circle_id: UUID | None
    circle_name: str | None
    audience: SessionAudience
    audience_circle_ids: list[UUID]
    private: bool
    confidentiality: str
    rotating_role: str | None
    accept_hours: int
    status: SessionStatus
    reason: str | None
    version: int
    reminded_at: datetime | None
    created_at: datetime
    changed_at: datetime
    roles: list[Role] = field(default_factory=list[Role])
    steps: list[Step] = field(default_factory=list[Step])
    extras: list[Extra] = field(default_factory=list[Extra])

    def role(self, code: str) -> Role | None:
        return next((role for role in self.roles if role.code == code), None)

    def check_open(self, now: datetime) -> None:
        """Raises SessionIsCancelled, SessionHasBegun: nothing changes any more."""
        if self.status == "cancelled":
            raise SessionIsCancelled
        if now >= self.starts_at:
            raise SessionHasBegun

    def move(self, starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
        """Another time; who has a seat keeps it, and the reminder is said anew. Raises InvalidFields."""
        self.check_open(now)
        check_times(starts_at, ends_at, self.steps, now=now)
        self.starts_at, self.ends_at = starts_at, ends_at
        self.reminded_at = reminded_from_the_start(starts_at, now)

    def cancel(self, *, reason: str | None, now: datetime) -> None:
        """Call it off. Raises SessionIsCancelled, SessionHasBegun."""
        self.check_open(now)
        self.status, self.reason = "cancelled", reason

    def may_lead(self, person: Person) -> bool:
        """Change, move, call off: the organiser; coordinators, so that a session never depends on one person."""
        return person.is_coordinator or person.id == self.organiser_member_id

    def may_see(self, person: Person, *, signed_up: bool) -> bool:
        """Its audience, those who signed up while they belonged to it, the organiser, and coordinators."""
        if self.may_lead(person) or signed_up or self.audience == "cooperative":
            return True
        return bool(set(self.audience_circle_ids) & person.circle_ids)

    def may_see_names(self, person: Person, *, seated: bool) -> bool:
        """Who takes part. In a private session: those who do, and the organiser; coordinators are not among them."""
        return not self.private or seated or person.id == self.organiser_member_id

    @property
    def gathers(self) -> UUID | None:
        """The circle that meets, as far as rotation asks: it organises, or it alone is invited."""
        if self.circle_id is not None:
            return self.circle_id
        return self.audience_circle_ids[0] if len(self.audience_circle_ids) == 1 else None


def check_times(starts_at: datetime, ends_at: datetime, steps: list[Step], *, now: datetime) -> None:
    """Raises InvalidFields for a period that cannot be, or that its steps do not fit into."""
    if ends_at <= starts_at:
        raise InvalidFields(FieldError("end", "ends_before_start", _ENDS_FIRST))
    if starts_at <= now:
        raise InvalidFields(FieldError("start", "in_the_past", _PAST))
    if starts_at - now > FURTHEST:
        raise InvalidFields(FieldError("start", "too_far_ahead", _FAR))
    if ends_at - starts_at > _LONGEST:
        raise InvalidFields(FieldError("end", "too_long", _LONG))
    minutes, length = sum(step.minutes for step in steps), int((ends_at - starts_at) / timedelta(minutes=1))
    if minutes > length:
        raise InvalidFields(FieldError("steps", "too_long", _STEPS, (("steps", minutes), ("length", length))))


def reminded_from_the_start(starts_at: datetime, now: datetime) -> datetime | None:
    """`now` when the session begins within the day: whoever signs up then needs no reminder. Else None."""
    return now if starts_at - now <= REMINDED_BEFORE else None

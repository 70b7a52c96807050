"""What people send about sessions, checked field by field."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from contracts.booking import SessionAudience, SessionTemplate
from services.booking.api.texts import Instant, ShortText, plain_text
from services.booking.commands.sessions import Contents
from services.booking.domain.opening import is_zone
from services.booking.domain.planned_session import Extra, Role, Step
from services.booking.domain.session_dates import starts_of
from services.chassis.problems import FieldError, InvalidFields, Text

MOST_SEATS = 1000
_A_WEEK = 7 * 24 * 60

_ZONE = Text(
    fr="Fuseau horaire inconnu (exemple : Europe/Paris).",
    en="Unknown time zone (example: Europe/Paris).",
    nl="Onbekende tijdzone (voorbeeld: Europe/Brussels).",
)
_TWICE = Text(fr="Deux fois le même code.", en="The same code twice.", nl="Tweemaal dezelfde code.")
_LIMITS = Text(
    fr="Le minimum dépasse le maximum.",
    en="The minimum is above the maximum.",
    nl="Het minimum is hoger dan het maximum.",
)
_SEATS = Text(
    fr="Au plus {most} places en tout.", en="At most {most} seats in all.", nl="Hoogstens {most} plaatsen in totaal."
)
_NO_ROLE = Text(
    fr="Choisissez un des rôles de la séance.",
    en="Choose one of the session's roles.",
    nl="Kies een van de rollen van de sessie.",
)
_VIDEO = Text(
    fr="Une adresse complète qui commence par https://, s'il vous plaît.",
    en="A complete address that begins with https://, please.",
    nl="Een volledig adres dat met https:// begint, graag.",
)
_CIRCLES = Text(fr="Choisissez au moins un cercle.", en="Choose at least one circle.", nl="Kies minstens één kring.")

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Line = Annotated[str, AfterValidator(plain_text), Field(min_length=1, max_length=120)]
LongText = Annotated[str, Field(max_length=5000), AfterValidator(plain_text)]


class SentRole(BaseModel):
    """The seats of one role; `label` in the organiser's words."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    label: Line
    minimum: int = Field(default=0, ge=0, le=MOST_SEATS)
    maximum: int = Field(ge=1, le=MOST_SEATS)


class SentStep(BaseModel):
    """A part of the session."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    minutes: int = Field(ge=1, le=_A_WEEK)


class SentExtra(BaseModel):
    """A small question: yes or no, or a number from 0 to `maximum`."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    label: Line
    kind: Literal["yes_no", "number"]
    maximum: int = Field(default=10, ge=1, le=1000)


class ContentsForm(BaseModel):
    """What the organiser says of a session, beside its time. Used to change one, whole."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, AfterValidator(plain_text), Field(min_length=3, max_length=120)]
    text: LongText = ""
    place_label: Annotated[str, Field(max_length=200), AfterValidator(plain_text)] | None = None
    video_url: Annotated[str, Field(max_length=500), AfterValidator(plain_text)] | None = None
    confidentiality: ShortText = ""
    accept_hours: int = Field(default=24, ge=1, le=14 * 24)
    roles: list[SentRole] = Field(min_length=1, max_length=12)
    steps: list[SentStep] = Field(default=[], max_length=40)
    extras: list[SentExtra] = Field(default=[], max_length=12)

    def contents(self) -> Contents:
        """Raises InvalidFields."""
        errors = [*self._wrong_roles(), *_twice("extras", [extra.code for extra in self.extras])]
        if self.video_url and not _is_address(self.video_url):
            errors.append(FieldError("video_url", "not_an_address", _VIDEO))
        if errors:
            raise InvalidFields(*errors)
        return Contents(
            title=self.title,
            text=self.text,
            place_label=self.place_label or None,
            video_url=self.video_url or None,
            confidentiality=self.confidentiality,
            accept_hours=self.accept_hours,
            roles=[Role(**role.model_dump()) for role in self.roles],
            steps=[Step(**step.model_dump()) for step in self.steps],
            extras=[_extra(extra) for extra in self.extras],
        )

    def _wrong_roles(self) -> list[FieldError]:
        errors = _twice("roles", [role.code for role in self.roles])
        errors += [
            FieldError(f"roles.{place}.minimum", "above_maximum", _LIMITS)
            for place, role in enumerate(self.roles)
            if role.minimum > role.maximum
        ]
        if sum(role.maximum for role in self.roles) > MOST_SEATS:
            errors.append(FieldError("roles", "too_many_seats", _SEATS, (("most", MOST_SEATS),)))
        return errors


class RepeatForm(BaseModel):
    """The sessions of a series: an RRULE with an end, on the clocks of `time_zone`; `without`: days that fall away."""

    model_config = ConfigDict(extra="forbid")

    rrule: str = Field(max_length=200)
    without: list[date] = Field(default=[], max_length=60)


class SessionForm(ContentsForm):
    """A new session. With `repeat`, one for each date of the rule from `start` on, as long as the first.

    `circle_id`: on behalf of which circle. `organiser_role`: the seat that the organiser takes at once.
    """

    template: SessionTemplate = "open"
    start: Instant
    end: Instant
    time_zone: str = Field(max_length=64)
    circle_id: UUID | None = None
    audience: SessionAudience = "cooperative"
    audience_circle_ids: list[UUID] = Field(default=[], max_length=50)
    private: bool = False
    rotating_role: str | None = Field(default=None, max_length=40)
    organiser_role: str | None = Field(default=None, max_length=40)
    repeat: RepeatForm | None = None

    def check(self) -> None:
        """Raises InvalidFields for what only the whole form can tell."""
        errors: list[FieldError] = []
        if not is_zone(self.time_zone):
            errors.append(FieldError("time_zone", "unknown_time_zone", _ZONE))
        codes = {role.code for role in self.roles}
        chosen = (("rotating_role", self.rotating_role), ("organiser_role", self.organiser_role))
        errors += [FieldError(name, "unknown_role", _NO_ROLE) for name, code in chosen if code and code not in codes]
        if self.audience == "circles" and not self.audience_circle_ids:
            errors.append(FieldError("audience_circle_ids", "missing", _CIRCLES))
        if errors:
            raise InvalidFields(*errors)

    def periods(self) -> list[tuple[Instant, Instant]]:
        """The periods (UTC) of the sessions asked for. Raises InvalidFields."""
        if self.repeat is None or self.end <= self.start:
            return [(self.start, self.end)]
        zone, length = ZoneInfo(self.time_zone), self.end - self.start
        starts = starts_of(self.repeat.rrule, self.start, zone, without=self.repeat.without)
        return [(start, start + length) for start in starts]


class SignUpForm(BaseModel):
    """Which role, and answers to the small questions."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(max_length=40)
    answers: dict[Code, StrictBool | StrictInt] = Field(default={}, max_length=12)


class AnswersForm(BaseModel):
    """Other answers to the small questions."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[Code, StrictBool | StrictInt] = Field(max_length=12)


class MoveForm(BaseModel):
    """Another time."""

    model_config = ConfigDict(extra="forbid")

    start: Instant
    end: Instant


class NoForm(BaseModel):
    """Nothing needs to be said."""

    model_config = ConfigDict(extra="forbid")


def _extra(sent: SentExtra) -> Extra:
    maximum = 1 if sent.kind == "yes_no" else sent.maximum
    return Extra(code=sent.code, label=sent.label, kind=sent.kind, maximum=maximum)


def _twice(name: str, codes: Sequence[str]) -> list[FieldError]:
    return [FieldError(name, "twice", _TWICE)] if len(set(codes)) < len(codes) else []


def _is_address(text: str) -> bool:
    """Whether this can be a link on a page: https, a host, nothing that ends a header or an attribute."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not re.search(r"[\s<>\"'\\]", text)

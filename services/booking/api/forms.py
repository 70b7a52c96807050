"""What people send, checked field by field."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.booking import Approval, CheckIn, OpeningHours
from services.booking.domain.availability import Rules
from services.booking.domain.opening import Hours, is_zone
from services.booking.resources import hours_from
from services.chassis.problems import FieldError, InvalidFields, Text

A_DAY = 24 * 60
MOST_OPENINGS = 70
FIRST_YEAR, LAST_YEAR = 2000, 2200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_ZONE = Text(
    fr="Fuseau horaire inconnu (exemple : Europe/Paris).",
    en="Unknown time zone (example: Europe/Paris).",
    nl="Onbekende tijdzone (voorbeeld: Europe/Brussels).",
)
_HOURS = Text(
    fr="Chaque plage s'écrit HH:MM et se termine après son début (24:00 : minuit).",
    en="Each opening is written HH:MM and ends after it begins (24:00: midnight).",
    nl="Elke periode is HH:MM en eindigt na het begin (24:00: middernacht).",
)
_OVERLAP = Text(
    fr="Deux plages du même jour se chevauchent.",
    en="Two openings of the same day overlap.",
    nl="Twee periodes van dezelfde dag overlappen.",
)
_LENGTHS = Text(
    fr="La durée maximale doit permettre au moins une réservation : multiple du pas, pas moins que la durée minimale.",
    en="The maximum must allow at least one booking: a multiple of the step, not less than the minimum.",
    nl="De maximumduur moet minstens één reservering toelaten: een veelvoud van de stap, niet minder dan het minimum.",
)


_NOT_RULES = {"opening_hours", "approval", "check_in", "grace_minutes"}


def _plain_text(text: str) -> str:
    """Without control characters but tab and line ends: PostgreSQL keeps no NUL, and peers refuse them all."""
    return _CONTROL.sub("", text).strip()


def _within_calendar(at: datetime) -> datetime:
    """An instant in UTC. Raises ValueError outside the years that are computed with."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return at.astimezone(UTC)


def _strict_wall_time(hours: OpeningHours) -> bool:
    return all(len(wall) == len("HH:MM") and wall[2] == ":" for wall in (hours.opens, hours.closes))


Instant = Annotated[AwareDatetime, AfterValidator(_within_calendar)]
ShortText = Annotated[str, Field(max_length=1000), AfterValidator(_plain_text)]


class ResourceForm(BaseModel):
    """How an offer can be booked. Opening hours are wall times in `time_zone` (IANA); durations in minutes."""

    model_config = ConfigDict(extra="forbid")

    time_zone: str = Field(max_length=64)
    opening_hours: list[OpeningHours] = Field(min_length=1, max_length=MOST_OPENINGS)
    step_minutes: int = Field(default=30, ge=5, le=A_DAY)
    minimum_minutes: int = Field(default=30, ge=5, le=31 * A_DAY)
    maximum_minutes: int = Field(default=8 * 60, ge=5, le=31 * A_DAY)
    lead_minutes: int = Field(default=0, ge=0, le=90 * A_DAY)
    horizon_days: int = Field(default=90, ge=1, le=730)
    buffer_before_minutes: int = Field(default=0, ge=0, le=7 * A_DAY)
    buffer_after_minutes: int = Field(default=0, ge=0, le=7 * A_DAY)
    approval: Approval = "owner"
    check_in: CheckIn = "none"
    grace_minutes: int = Field(default=30, ge=5, le=A_DAY)

    def rules(self) -> Rules:
        """The rules that the form states. Raises InvalidFields."""
        errors: list[FieldError] = []
        if not is_zone(self.time_zone):
            errors.append(FieldError("time_zone", "unknown_time_zone", _ZONE))
        hours = self._hours()
        if hours is None:
            errors.append(FieldError("opening_hours", "not_hours", _HOURS))
        elif any(a.weekday == b.weekday and b.opens < a.closes for a, b in pairwise(hours)):
            errors.append(FieldError("opening_hours", "overlapping", _OVERLAP))
        shortest = -(-self.minimum_minutes // self.step_minutes) * self.step_minutes
        if self.maximum_minutes < shortest:
            errors.append(FieldError("maximum_minutes", "no_length_possible", _LENGTHS))
        if errors or hours is None:
            raise InvalidFields(*errors)
        return Rules(opening_hours=hours, **self.model_dump(exclude=_NOT_RULES))

    def _hours(self) -> tuple[Hours, ...] | None:
        """The opening hours, sorted; None when one is not well-formed."""
        try:
            if not all(_strict_wall_time(hours) and 0 <= hours.weekday <= 6 for hours in self.opening_hours):  # noqa: PLR2004 - days of a week
                return None
            hours = hours_from(self.opening_hours)
        except ValueError:
            return None
        return hours if all(each.opens < each.closes for each in hours) else None


class BookingForm(BaseModel):
    """A request for `[start, end)` of an offer; `origin`: the instance id of the peer that owns it, None for ours."""

    model_config = ConfigDict(extra="forbid")

    offer_id: UUID
    origin: str | None = Field(default=None, max_length=200, min_length=1)
    start: Instant
    end: Instant
    quantity: int = Field(default=1, ge=1, le=10_000)
    note: ShortText = ""


class ReasonForm(BaseModel):
    """Why a request is declined or a booking called off; may be left out."""

    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = None

    @model_validator(mode="after")
    def _no_empty_reason(self) -> Self:
        return self if self.reason else self.model_copy(update={"reason": None})

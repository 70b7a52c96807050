"""What people send, checked field by field."""

from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.booking import Approval, CheckIn, OpeningHours
from services.booking.api.terms import A_DAY, TermsForm, hours_of, overlap
from services.booking.api.texts import Instant, ShortText
from services.booking.commands.resources import Conditions, Use
from services.booking.domain.availability import Rules
from services.booking.domain.opening import is_zone
from services.booking.domain.series import Scope
from services.booking.resources import rules_under
from services.chassis.problems import FieldError, InvalidFields, Text

MOST_OPENINGS = 70

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
_PRIVATE = Text(
    fr="Des réservations confidentielles ne passent pas par l'équipe d'appui : choisissez un seul accord, le vôtre.",
    en="Confidential bookings do not pass through the support team: choose one approval, your own.",
    nl="Vertrouwelijke reserveringen gaan niet langs het ondersteuningsteam: kies één akkoord, het uwe.",
)


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
    capacity: int = Field(default=1, ge=1, le=10_000)
    approval: Approval = "owner"
    terms: TermsForm = TermsForm()
    check_in: CheckIn = "none"
    grace_minutes: int = Field(default=30, ge=5, le=A_DAY)

    def conditions(self) -> Conditions:
        """What the form states. Raises InvalidFields."""
        errors: list[FieldError] = []
        if not is_zone(self.time_zone):
            errors.append(FieldError("time_zone", "unknown_time_zone", _ZONE))
        hours = hours_of(self.opening_hours)
        if hours is None:
            errors.append(FieldError("opening_hours", "not_hours", _HOURS))
        elif overlap(hours):
            errors.append(FieldError("opening_hours", "overlapping", _OVERLAP))
        shortest = -(-self.minimum_minutes // self.step_minutes) * self.step_minutes
        if self.maximum_minutes < shortest:
            errors.append(FieldError("maximum_minutes", "no_length_possible", _LENGTHS))
        errors.extend(self.terms.errors())
        if self.terms.private and (self.approval == "coordinator" or self.terms.approvals_needed > 1):
            errors.append(FieldError("terms.private", "needs_others", _PRIVATE))
        if errors or hours is None:
            raise InvalidFields(*errors)
        plain = self.model_dump(exclude={"opening_hours", "approval", "terms", "check_in", "grace_minutes"})
        terms = self.terms.terms()
        rules = rules_under(Rules(opening_hours=hours, **plain), terms)
        use = Use(check_in=self.check_in, grace_minutes=self.grace_minutes)
        return Conditions(rules=rules, approval=self.approval, terms=terms, use=use)


class BookingForm(BaseModel):
    """A request for `[start, end)` of an offer; `origin`: the instance id of the peer that owns it, None for ours.

    `circle_id`: on behalf of this circle. `hold_id`: the hold that was made while the form was open.
    """

    model_config = ConfigDict(extra="forbid")

    offer_id: UUID
    origin: str | None = Field(default=None, max_length=200, min_length=1)
    start: Instant
    end: Instant
    quantity: int = Field(default=1, ge=1, le=10_000)
    note: ShortText = ""
    circle_id: UUID | None = None
    hold_id: UUID | None = None


class HoldForm(BaseModel):
    """Keep `[start, end)` of one of our offers while the form is open."""

    model_config = ConfigDict(extra="forbid")

    offer_id: UUID
    start: Instant
    end: Instant
    quantity: int = Field(default=1, ge=1, le=10_000)


class ChangeForm(BaseModel):
    """What a booking should become; in a series those of `scope` follow it by the same difference on the wall clock.

    `conflicts`: whether nothing is moved when a date cannot be ("refuse"), or the rest ("skip").
    """

    model_config = ConfigDict(extra="forbid")

    start: Instant
    end: Instant
    quantity: int = Field(ge=1, le=10_000)
    note: ShortText = ""
    scope: Scope = "this"
    conflicts: Literal["refuse", "skip"] = "refuse"


class ReasonForm(BaseModel):
    """Why a request is declined or a booking called off; may be left out."""

    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = None

    @model_validator(mode="after")
    def _no_empty_reason(self) -> Self:
        return self if self.reason else self.model_copy(update={"reason": None})


class CancelForm(ReasonForm):
    """Why a booking is called off, and which of its series: this one, this and those that follow, or all to come."""

    scope: Scope = "this"

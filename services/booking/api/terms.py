"""Further conditions of a resource as people send them, checked field by field."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.booking import Closure, OpeningHours, Price, Quota, Season, Terms
from contracts.identity import Role
from services.booking.api.texts import LongText, ShortLabel
from services.booking.domain.holiday_calendar import is_region
from services.booking.domain.opening import Hours
from services.booking.resources import hours_from
from services.chassis.problems import FieldError, Text

A_DAY = 24 * 60
DEAREST = Decimal(100_000)

_HOLIDAYS = Text(
    fr="Pays ou région inconnus (exemples : FR, FR-57, BE).",
    en="Unknown country or region (examples: FR, FR-57, BE).",
    nl="Onbekend land of gewest (voorbeelden: FR, FR-57, BE).",
)
_SEASON = Text(
    fr="Chaque saison va d'un jour à un autre (MM-JJ), avec des heures qui ne se chevauchent pas.",
    en="Each season goes from one day to another (MM-DD), with hours that do not overlap.",
    nl="Elk seizoen loopt van een dag tot een andere (MM-DD), met uren die niet overlappen.",
)
_CLOSURE = Text(
    fr="Une fermeture se termine le jour où elle commence, ou plus tard.",
    en="A closure ends on the day on which it begins, or later.",
    nl="Een sluiting eindigt op de dag waarop ze begint, of later.",
)
_AMOUNT = Text(
    fr="Un montant s'écrit avec deux décimales au plus, de 0 à 100 000.",
    en="An amount has two decimals at most, from 0 to 100,000.",
    nl="Een bedrag heeft hoogstens twee decimalen, van 0 tot 100.000.",
)


def hours_of(opening_hours: list[OpeningHours]) -> tuple[Hours, ...] | None:
    """The opening hours, sorted; None when one is not well-formed ("HH:MM", ends after it begins)."""
    try:
        if not all(_is_strict(hours) and 0 <= hours.weekday <= 6 for hours in opening_hours):  # noqa: PLR2004 - days of a week
            return None
        hours = hours_from(opening_hours)
    except ValueError:
        return None
    return hours if all(each.opens < each.closes for each in hours) else None


def overlap(hours: tuple[Hours, ...]) -> bool:
    """Whether two openings of one day overlap. `hours` are sorted."""
    return any(a.weekday == b.weekday and b.opens < a.closes for a, b in pairwise(hours))


def _is_strict(hours: OpeningHours) -> bool:
    return all(len(wall) == len("HH:MM") and wall[2] == ":" for wall in (hours.opens, hours.closes))


def _is_amount(written: str) -> str:
    """Raises ValueError unless it is a decimal number in bounds."""
    try:
        amount = Decimal(written.replace(",", "."))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not amount.is_finite() or not 0 <= amount <= DEAREST or -int(amount.as_tuple().exponent) > 2:  # noqa: PLR2004 - cents
        raise ValueError("out of bounds")
    return f"{amount:.2f}"


class PriceForm(BaseModel):
    """What a use costs; `amount` as decimal text, for each use or hour."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["free", "fixed", "hourly", "time"]
    amount: Annotated[str, Field(max_length=12), AfterValidator(_is_amount)] = "0"


class QuotaForm(BaseModel):
    """At most `most` bookings or hours for one member, circle or peer in a week or month."""

    model_config = ConfigDict(extra="forbid")

    scope: Literal["member", "circle", "peer"]
    per: Literal["week", "month"]
    unit: Literal["bookings", "hours"]
    most: int = Field(ge=0, le=10_000)


class SeasonForm(BaseModel):
    """Hours of its own from `begins` to `ends` ("MM-DD")."""

    model_config = ConfigDict(extra="forbid")

    label: ShortLabel = ""
    begins: str = Field(pattern=r"^\d\d-\d\d$")
    ends: str = Field(pattern=r"^\d\d-\d\d$")
    opening_hours: list[OpeningHours] = Field(max_length=70)


class ClosureForm(BaseModel):
    """Closed from `first` to `last`, local days, both included."""

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date
    label: ShortLabel = ""


class TermsForm(BaseModel):
    """See `contracts.booking.Terms`."""

    model_config = ConfigDict(extra="forbid")

    seasons: list[SeasonForm] = Field(default=[], max_length=12)
    closures: list[ClosureForm] = Field(default=[], max_length=100)
    holidays: str | None = Field(default=None, max_length=40)
    approvals_needed: int = Field(default=1, ge=1, le=2)
    circle_ids: list[UUID] = Field(default=[], max_length=50)
    roles: list[Role] = Field(default=[], max_length=3)
    peers: bool = True
    peers_within_days: int | None = Field(default=None, ge=0, le=730)
    quotas: list[QuotaForm] = Field(default=[], max_length=12)
    price: PriceForm | None = None
    deposit: ShortLabel = ""
    instructions: LongText = ""
    cancel_notice_minutes: int = Field(default=0, ge=0, le=90 * A_DAY)
    private: bool = False

    def terms(self) -> Terms:
        """As they are kept."""
        return Terms(
            seasons=tuple(Season(**season.model_dump()) for season in self.seasons),
            closures=tuple(Closure(**closure.model_dump()) for closure in self.closures),
            holidays=self.holidays or None,
            approvals_needed=self.approvals_needed,
            circle_ids=tuple(self.circle_ids),
            roles=tuple(self.roles),
            peers=self.peers,
            peers_within_days=self.peers_within_days,
            quotas=tuple(Quota(**quota.model_dump()) for quota in self.quotas),
            price=Price(**self.price.model_dump()) if self.price else None,
            deposit=self.deposit,
            instructions=self.instructions,
            cancel_notice_minutes=self.cancel_notice_minutes,
            private=self.private,
        )

    def errors(self) -> Iterator[FieldError]:
        """What is wrong beyond the form of single fields."""
        if self.holidays and not is_region(self.holidays):
            yield FieldError("terms.holidays", "unknown_region", _HOLIDAYS)
        if not all(_is_season(season) for season in self.seasons):
            yield FieldError("terms.seasons", "not_a_season", _SEASON)
        if any(closure.last < closure.first for closure in self.closures):
            yield FieldError("terms.closures", "ends_before_start", _CLOSURE)


def _is_season(season: SeasonForm) -> bool:
    hours = hours_of(season.opening_hours)
    try:
        for day in (season.begins, season.ends):
            date.fromisoformat(f"2000-{day}")
    except ValueError:
        return False
    return hours is not None and not overlap(hours)

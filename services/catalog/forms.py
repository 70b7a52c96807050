"""What a person or a CSV line says about an offer or a need."""

import re
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts.border import YEARS
from contracts.catalog import Kind, Scope, Side, Urgency
from contracts.identity import Locale

LARGEST_QUANTITY = 1_000_000
MOST_TAGS, LONGEST_TAG = 12, 40
_BETWEEN_TAGS = re.compile(r"[,;|#]+")
_FIRST = datetime(YEARS.start, 1, 1, tzinfo=UTC)
_END = datetime(YEARS.stop, 1, 1, tzinfo=UTC)


def _readable(value: str) -> str:
    """PostgreSQL stores no NUL; other control characters but tab and line ends have no meaning on a page."""
    if any(ord(character) < 32 and character not in "\t\n\r" for character in value):  # noqa: PLR2004
        raise PydanticCustomError("control_characters", "control characters")
    return value


def _single_line(value: str) -> str:
    return " ".join(_readable(value).split())


def _text(low: int, high: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=low, max_length=high)


def _instant(value: datetime) -> datetime:
    """Peers refuse other years, so no listing has them."""
    if not _FIRST <= value < _END:
        raise PydanticCustomError("date_out_of_range", "out of range", {"first": YEARS.start, "last": YEARS.stop - 1})
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
Title = Annotated[str, AfterValidator(_single_line), _text(3, 120)]
Word = Annotated[str, AfterValidator(_single_line), _text(0, 60)]


def _tags(values: list[str]) -> list[str]:
    """Each once whatever its case, without signs that separate tags, in the order in which they were given."""
    found = (" ".join(_BETWEEN_TAGS.sub(" ", _single_line(value)).split()) for value in values)
    return list({tag.casefold(): tag for tag in reversed([tag for tag in found if tag])}.values())[::-1]


Tags = Annotated[list[Annotated[str, _text(0, LONGEST_TAG)]], AfterValidator(_tags), Field(max_length=MOST_TAGS)]


class Form(BaseModel):
    """Refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class PlaceForm(Form):
    """A place as people call it, with its point (WGS 84, degrees) when it is known."""

    label: Annotated[str, AfterValidator(_single_line), _text(1, 200)]
    latitude: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half_a_point", "latitude and longitude go together")
        return self


class AudienceForm(Form):
    """See `contracts.catalog.Audience`."""

    scope: Scope = "cooperative"
    circle_ids: list[UUID] = Field(default=[], max_length=50)
    peer_ids: list[Annotated[str, AfterValidator(_single_line), _text(1, 100)]] = Field(default=[], max_length=200)


class ListingForm(Form):
    """An offer or a need as its author describes it. Instants carry an offset.

    `circle_id`: the circle that it belongs to (None: the author). See `contracts.catalog.ListingState` for the rest.
    """

    side: Side
    kind: Kind
    title: Title
    text: Annotated[str, AfterValidator(_readable), _text(0, 5000)] = ""
    category: Word = ""
    tags: Tags = []
    language: Locale = "fr"
    place: PlaceForm | None = None
    quantity: int = Field(default=1, ge=1, le=LARGEST_QUANTITY)
    unit: Annotated[str, AfterValidator(_single_line), _text(0, 40)] = ""
    circle_id: UUID | None = None
    audience: AudienceForm = AudienceForm()
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    window_start: Instant | None = None
    window_end: Instant | None = None
    urgency: Urgency = "normal"


class ListingChange(ListingForm):
    """A listing as it should be now. `version`: the one that its editor had read."""

    version: int = Field(ge=1)

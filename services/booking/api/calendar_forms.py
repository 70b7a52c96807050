"""What is asked and answered about calendars."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.booking.domain.calendar_problems import ADDRESS_REFUSED, READING_ERRORS
from services.booking.domain.deciding import Offer
from services.booking.domain.feeds import FeedKind, may_follow
from services.booking.domain.opening import is_zone
from services.chassis.outgoing import AddressRefused, is_public, web_address
from services.chassis.problems import FieldError, InvalidFields, Language, Text

_WEBCAL = "webcal://"
_ZONE = Text(
    fr="Fuseau horaire inconnu (exemple : Europe/Paris).",
    en="Unknown time zone (example: Europe/Paris).",
    nl="Onbekende tijdzone (voorbeeld: Europe/Brussels).",
)


class FeedForm(BaseModel):
    """A feed to make. `subject_id`: the offer (`resource`, `busy`) or the circle that it is about."""

    model_config = ConfigDict(extra="forbid")

    kind: FeedKind
    subject_id: UUID | None = None

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if (self.kind == "member") != (self.subject_id is None):
            raise ValueError("a feed of an offer or a circle names it as subject_id, one's own names none")
        return self


class FeedView(BaseModel):
    """A feed of mine. `title`: of the offer. `read_at`: when a program last asked for it (to the hour)."""

    id: UUID
    kind: FeedKind
    subject_id: UUID | None
    title: str | None
    created_at: datetime
    read_at: datetime | None


class FeedsView(BaseModel):
    """All of them: at most 50."""

    items: list[FeedView]


class FeedMade(FeedView):
    """A feed with its secret address, shown this once. `free_busy_address`: the same as VFREEBUSY, for kind `busy`."""

    address: str
    free_busy_address: str | None


class FeedKept(BaseModel):
    """What is kept of a feed that was made, for its Idempotency-Key: the secret of its address only sealed."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    view: FeedView
    secret: bytes


class CalendarForm(BaseModel):
    """The address of a calendar elsewhere. `time_zone`: of its floating times and days (None: the cooperative's)."""

    model_config = ConfigDict(extra="forbid")

    address: SecretStr = Field(max_length=2000)
    time_zone: str | None = Field(default=None, max_length=64)

    def checked(self, *, allow_private: bool) -> tuple[str, str]:
        """The address, and its host for showing. Raises InvalidFields."""
        address = self.address.get_secret_value().strip()
        if address.lower().startswith(_WEBCAL):
            address = "https://" + address[len(_WEBCAL) :]
        try:
            host = web_address(address, allow_plain=allow_private).host
        except AddressRefused:
            host = ""
        if not host or not (allow_private or _may_be_public(host)):
            raise InvalidFields(FieldError("address", "address_refused", ADDRESS_REFUSED))
        return address, host

    def zone_or(self, usual: str) -> str:
        """The zone, `usual` when none was given. Raises InvalidFields."""
        if self.time_zone is not None and not is_zone(self.time_zone):
            raise InvalidFields(FieldError("time_zone", "unknown_time_zone", _ZONE))
        return self.time_zone or usual


def _may_be_public(host: str) -> bool:
    """False for an IP address that leads inside and a name without a dot; other names show it when they resolve."""
    try:
        return is_public(host)
    except ValueError:
        return "." in host


class CalendarView(BaseModel):
    """My calendar elsewhere; its address is not shown again, only the `host`.

    `count`: busy times found in the next 400 days (`cut`: there are more than are read). `error`: a code, `detail` a
    sentence, when the last reading failed; what was read before still counts.
    """

    given: bool
    host: str | None = None
    time_zone: str | None = None
    read_at: datetime | None = None
    next_at: datetime | None = None
    count: int = 0
    cut: bool = False
    error: str | None = None
    detail: str | None = None


class FollowForm(BaseModel):
    """Whether the offer follows its owner's calendar."""

    model_config = ConfigDict(extra="forbid")

    follows_calendar: bool


class FollowView(BaseModel):
    """`possible`: it is an offer of somebody's own time. `calendar_given`: I have given a calendar to follow."""

    offer_id: UUID
    possible: bool
    follows_calendar: bool
    calendar_given: bool


def feed_view(row: sa.Row[Any]) -> FeedView:
    """A feed without its secret."""
    about = None if row.kind == "member" else row.subject_id
    return FeedView(
        id=row.id,
        kind=row.kind,
        subject_id=about,
        title=row.title,
        created_at=row.created_at,
        read_at=row.read_at,
    )


def calendar_view(row: sa.Row[Any] | None, language: Language) -> CalendarView:
    """The calendar elsewhere without its address."""
    if row is None:
        return CalendarView(given=False)
    text = READING_ERRORS.get(row.error or "")
    return CalendarView(
        given=True,
        host=row.host,
        time_zone=row.time_zone,
        read_at=row.read_at,
        next_at=row.next_at,
        count=row.times,
        cut=row.cut,
        error=row.error,
        detail=text.say(language) if text else None,
    )


def follow_view(offer: Offer, *, follows: bool, given: bool) -> FollowView:
    """How an offer and its owner's calendar go together."""
    return FollowView(
        offer_id=offer.id, possible=may_follow(offer.kind), follows_calendar=follows, calendar_given=given
    )

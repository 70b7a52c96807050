"""Bounds for whatever a peer says, so that no service has to expect a number or a text that its database refuses."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from contracts.booking import Closure, Interval, OpeningHours, Partly, Price, Season, UsedValue
from contracts.border import (
    YEARS,
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderChangeAnswered,
    BorderChangeRequested,
    Proposal,
)
from contracts.link import ManifestPageAsked, ManifestPageTold, ManifestTold
from contracts.shared import RoundedPlace, SharedBusy, SharedListing, SharedResource, SharedTerms

LARGEST_INT = 2_000_000_000
LONGEST_TEXT = 10_000
LONGEST_LABEL = 300
LONGEST_LIST = 3_000
MOST_TAGS = 20
LONGEST_TAG = 60
LONGEST_SIGNED = 64_000
_SIGNED = {"proof", "decision", "request", "key_set"}
_LABELS = {
    "title",
    "deposit",
    "category",
    "unit",
    "label",
    "name",
    "email",
    "owner_name",
    "place_label",
    "pseudonym",
    "time_zone",
}
_DAY_OF_YEAR = re.compile(r"\d\d-\d\d")
_AMOUNT = re.compile(r"\d{1,6}(\.\d{1,2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_REGION = re.compile(r"[A-Z]{2}(-[A-Za-z0-9 ]{1,30})?")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_WORTH = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def first_breach(event: BaseModel) -> str | None:
    """What in `event` is out of bounds, in a few words; None when nothing is."""
    return next(_breaches(event, ""), None)


def _breaches(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _breaches(getattr(value, name), f"{path}.{name}" if path else name)
        if not _makes_sense(value):
            yield f"{path or type(value).__name__}: makes no sense"
    elif isinstance(value, list | tuple):
        items: Sequence[Any] = value
        if len(items) > LONGEST_LIST:
            yield f"{path}: too many"
        for item in items:
            yield from _breaches(item, path)
    elif not _is_plain(value, path.rpartition(".")[2]):
        yield f"{path}: out of bounds"


def _is_plain(value: Any, name: str) -> bool:
    if isinstance(value, str):
        longest = LONGEST_LABEL if name in _LABELS else LONGEST_SIGNED if name in _SIGNED else LONGEST_TEXT
        return len(value) <= longest and not _CONTROL.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, datetime):
        return value.tzinfo is not None and value.year in YEARS
    if isinstance(value, date):
        return value.year in YEARS
    if isinstance(value, int):
        return 0 <= value <= LARGEST_INT
    return True


def _are_tags(tags: tuple[str, ...]) -> bool:
    return len(tags) <= MOST_TAGS and all(0 < len(tag) <= LONGEST_TAG for tag in tags)


def _makes_sense(value: BaseModel) -> bool:  # noqa: C901, PLR0911, PLR0912 - a table of types
    match value:
        case RoundedPlace():
            return _within(value.latitude, 90) and _within(value.longitude, 180)
        case SharedListing():
            return value.quantity >= 1 and value.version >= 1 and bool(value.title.strip()) and _are_tags(value.tags)
        case OpeningHours():
            times = (value.opens, value.closes)
            return value.weekday in range(7) and all(map(_TIME_OF_DAY.fullmatch, times)) and value.opens < value.closes
        case SharedResource():
            return _resource_makes_sense(value)
        case UsedValue():
            return _WORTH.fullmatch(value.amount) is not None
        case Interval() | Partly() | BorderBookingRequested():
            return value.start < value.end
        case BorderChangeRequested():
            return value.start < value.end and value.number >= 1
        case BorderChangeAnswered():
            return value.number >= 1
        case Proposal():
            return value.start < value.end and value.number >= 1 and value.quantity >= 1
        case BorderBookingAnswered():
            return value.quantity is None or value.quantity >= 1
        case Season():
            return _is_day_of_year(value.begins) and _is_day_of_year(value.ends)
        case Closure():
            return value.first <= value.last
        case Price():
            return bool(_AMOUNT.fullmatch(value.amount) and _CURRENCY.fullmatch(value.currency))
        case SharedTerms():
            return value.holidays is None or bool(_REGION.fullmatch(value.holidays))
        case ManifestTold():
            return all(page.first < following.first for page, following in pairwise(value.pages))
        case ManifestPageAsked() | ManifestPageTold():
            return value.until is None or value.first < value.until
        case SharedBusy():
            return value.since <= value.until
        case _:
            return True


def _resource_makes_sense(resource: SharedResource) -> bool:
    lengths = resource.step_minutes >= 1 and 1 <= resource.minimum_minutes <= resource.maximum_minutes
    return lengths and resource.capacity >= 1 and resource.version >= 1 and _is_time_zone(resource.time_zone)


def _is_day_of_year(written: str) -> bool:
    try:
        return _DAY_OF_YEAR.fullmatch(written) is not None and bool(date.fromisoformat(f"2000-{written}"))
    except ValueError:
        return False


def _within(degrees: float | None, limit: float) -> bool:
    return degrees is None or -limit <= degrees <= limit


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True

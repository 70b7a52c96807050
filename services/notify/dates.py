"""Dates and hours as people say them, by Babel's words, in the time zone of the thing."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale as BabelLocale
from babel.dates import format_date, get_timezone_location

from contracts.identity import Locale

BABEL: dict[Locale, str] = {"fr": "fr_FR", "en": "en_GB", "nl": "nl_BE"}
_MIDNIGHT: dict[Locale, str] = {"fr": "minuit", "en": "midnight", "nl": "middernacht"}
_TIME_OF: dict[Locale, str] = {"fr": "heure de {}", "en": "{} time", "nl": "tijd van {}"}
_AT: dict[Locale, str] = {"fr": "{} à {}", "en": "{} at {}", "nl": "{} om {}"}


@lru_cache(maxsize=8)
def _babel(locale: Locale) -> BabelLocale:
    return BabelLocale.parse(BABEL[locale])


def zone(name: str) -> ZoneInfo:
    """The IANA zone `name`; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def say_day(day: datetime, locale: Locale, *, now: datetime) -> str:
    """Say "jeudi 19 mars" of a local datetime; with the year when it is not this one. `now` is aware."""
    pattern = "EEEE d MMMM" if day.year == now.astimezone(day.tzinfo).year else "EEEE d MMMM y"
    said = format_date(day.date(), pattern, locale=_babel(locale))
    return said.replace(" 1 ", " 1er ", 1) if locale == "fr" and day.day == 1 else said


def say_hour(time: datetime, locale: Locale) -> str:
    """Say "14 h" or "14 h 30" in French (no-break spaces), else "14:30"."""
    if locale != "fr":
        return f"{time:%H:%M}"
    minutes = f"\N{NO-BREAK SPACE}{time.minute:02}" if time.minute else ""
    return f"{time.hour}\N{NO-BREAK SPACE}h{minutes}"


def say_period(start: datetime, end: datetime, time_zone: str, locale: Locale, *, now: datetime, home: str) -> str:
    """Say "jeudi 19 mars, 14 h – 17 h" for the aware instants `[start, end)`, in the IANA zone `time_zone`.

    `home` is the reader's zone: where clocks differ from it at `start`, the place of the hours is named.
    """
    first, last = start.astimezone(zone(time_zone)), end.astimezone(zone(time_zone))
    text = f"{say_day(first, locale, now=now)}, {say_hour(first, locale)} – "
    next_midnight = first.date() + timedelta(days=1)
    if last.date() == first.date():
        text += say_hour(last, locale)
    elif (last.date(), last.hour, last.minute) == (next_midnight, 0, 0):
        text += _MIDNIGHT[locale]
    else:
        text += f"{say_day(last, locale, now=now)}, {say_hour(last, locale)}"
    return text + _place_of_hours(first, time_zone, locale, home)


def say_instant(at: datetime, time_zone: str, locale: Locale, *, now: datetime) -> str:
    """Say "jeudi 19 mars à 14 h"."""
    local = at.astimezone(zone(time_zone))
    return _AT[locale].format(say_day(local, locale, now=now), say_hour(local, locale))


def _place_of_hours(local: datetime, time_zone: str, locale: Locale, home: str) -> str:
    if local.utcoffset() == local.astimezone(zone(home)).utcoffset():
        return ""
    city = get_timezone_location(str(zone(time_zone)), locale=_babel(locale), return_city=True)
    return f" ({_TIME_OF[locale].format(city)})"


def instant(text: str) -> datetime:
    """The aware UTC instant of an ISO 8601 text. Raises ValueError when it has no offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at.astimezone(UTC)

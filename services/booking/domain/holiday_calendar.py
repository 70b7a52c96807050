"""Public holidays by country and region, from the library `holidays`."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

from services.chassis.problems import LANGUAGES, Language, Text

FEWEST_SIGNS = 2
_LANGUAGES: dict[Language, str] = {"fr": "fr", "en": "en_US", "nl": "nl"}


@lru_cache(maxsize=256)
def public_holidays(region: str, year: int) -> Mapping[date, str]:
    """The public holidays of `region` ("FR", "FR-57", "BE") in `year`, with their names in the country's language."""
    return _named(region, year, None)


def holiday_name(region: str, day: date) -> Text:
    """The name of a public holiday in the reader's language, or in the country's where the library knows no other."""
    named = {language: _named(region, day.year, _LANGUAGES[language]).get(day, "") for language in LANGUAGES}
    return Text(**named)


@lru_cache(maxsize=256)
def _named(region: str, year: int, language: str | None) -> Mapping[date, str]:
    country, _, part = region.partition("-")
    there = holidays.country_holidays(country, subdiv=part or None)
    known = language if language in there.supported_languages else there.default_language
    return dict(holidays.country_holidays(country, subdiv=part or None, years=year, language=known).items())


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def is_region(region: str) -> bool:
    """Whether the public holidays of `region` are known."""
    country, _, part = region.partition("-")
    parts = _regions().get(country)
    return parts is not None and (not part or part in parts)

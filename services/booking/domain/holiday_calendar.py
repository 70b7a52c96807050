"""Public holidays by country and region, from the library `holidays`."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

FEWEST_SIGNS = 2


@lru_cache(maxsize=256)
def public_holidays(region: str, year: int) -> Mapping[date, str]:
    """The public holidays of `region` ("FR", "FR-57", "BE") in `year`, with their names in the country's language."""
    country, _, part = region.partition("-")
    return dict(holidays.country_holidays(country, subdiv=part or None, years=year).items())


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def is_region(region: str) -> bool:
    """Whether the public holidays of `region` are known."""
    country, _, part = region.partition("-")
    parts = _regions().get(country)
    return parts is not None and (not part or part in parts)

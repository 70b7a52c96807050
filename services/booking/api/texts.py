"""Texts and instants as people send them."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

FIRST_YEAR, LAST_YEAR = 2000, 2200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def plain_text(text: str) -> str:
    """Without control characters but tab and line ends: PostgreSQL keeps no NUL, and peers refuse them all."""
    return _CONTROL.sub("", text).strip()


def _within_calendar(at: datetime) -> datetime:
    """An instant in UTC. Raises ValueError outside the years that are computed with."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_within_calendar)]
ShortLabel = Annotated[str, Field(max_length=200), AfterValidator(plain_text)]
ShortText = Annotated[str, Field(max_length=1000), AfterValidator(plain_text)]
LongText = Annotated[str, Field(max_length=4000), AfterValidator(plain_text)]

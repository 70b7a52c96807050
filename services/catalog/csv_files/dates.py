"""Dates as people write them in a spreadsheet."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_FRENCH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T,]+(\d{1,2})\s*[:hH]\s*(\d{2})?)?")
_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}")


def read(cell: str, zone: ZoneInfo, *, is_end: bool) -> datetime:
    """The instant (UTC) that a cell means: ISO 8601 or day/month/year, without an offset in `zone`.

    A day alone is its beginning, or with `is_end` its end: "until the 19th" includes the 19th. A time that the clock
    skips or shows twice is read as before the change. Raises ValueError.
    """
    text = cell.strip()
    if (french := _FRENCH.fullmatch(text)) is not None:
        day, month, year, hour, minute = (int(part or 0) for part in french.groups())
        found = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the zone comes below
    else:
        found = datetime.fromisoformat(text)
    if is_end and _DATE_ONLY.fullmatch(text):
        found += timedelta(days=1)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC)


def write(instant: datetime | None, zone: ZoneInfo) -> str:
    """The cell for an instant: ISO 8601 in `zone`, with its offset."""
    return instant.astimezone(zone).isoformat() if instant else ""

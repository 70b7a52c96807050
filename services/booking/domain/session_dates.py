"""The days on which a session comes back: a bounded part of RFC 5545's RRULE, on the clocks of a place."""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from services.chassis.problems import FieldError, InvalidFields, Text

MOST_SESSIONS = 60
LATEST = timedelta(days=3 * 366)

_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]|[1-4]\d|5[0-2]",
    "COUNT": r"[1-9]\d{0,5}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "BYDAY": r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6}",
    "BYMONTHDAY": r"-?([1-9]|[12]\d|3[01])(,-?([1-9]|[12]\d|3[01])){0,11}",
    "BYMONTH": r"([1-9]|1[0-2])(,([1-9]|1[0-2])){0,11}",
    "BYSETPOS": r"-?[1-5]",
    "WKST": r"MO|SU",
}
_UNREADABLE = Text(
    fr="Règle de répétition inconnue (exemple : FREQ=MONTHLY;BYDAY=3TH;COUNT=10).",
    en="Unknown rule of repetition (example: FREQ=MONTHLY;BYDAY=3TH;COUNT=10).",
    nl="Onbekende herhalingsregel (voorbeeld: FREQ=MONTHLY;BYDAY=3TH;COUNT=10).",
)
_ENDLESS = Text(
    fr="Dites combien de fois, ou jusqu'à quand.",
    en="Say how many times, or until when.",
    nl="Zeg hoe vaak, of tot wanneer.",
)
_MANY = Text(
    fr="Au plus {most} séances à la fois.",
    en="At most {most} sessions at once.",
    nl="Hoogstens {most} sessies tegelijk.",
)
_NONE = Text(
    fr="Cette règle ne donne aucune date dans les trois ans.",
    en="This rule gives no date within three years.",
    nl="Deze regel geeft geen datum binnen drie jaar.",
)


def starts_of(rule: str, first: datetime, zone: ZoneInfo, *, without: Collection[date] = ()) -> list[datetime]:
    """The starts (UTC) that `rule` gives from `first` (aware) on: the same wall time in `zone` on each day.

    `without`: local days that fall away (a holiday); they count among COUNT, as EXDATE does. A wall time that a clock
    change skips comes as much later (RFC 5545, 3.3.5). Raises InvalidFields: unreadable, endless, too many, none.
    """
    parts = _parts(rule)
    begin = first.astimezone(zone).replace(tzinfo=None)
    if "COUNT" not in parts and "UNTIL" not in parts:
        raise InvalidFields(FieldError("repeat.rrule", "endless", _ENDLESS))
    latest = begin + LATEST
    until = min(latest, _until(parts.pop("UNTIL", None), zone) or latest)
    count = int(parts.pop("COUNT", MOST_SESSIONS + 1))
    # COUNT is counted here: a rule that never matches ends at our own horizon, not in the year 9999.
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    days = rrulestr(f"{text};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=begin)
    walls = list(islice(days, min(count, MOST_SESSIONS + 1)))
    if len(walls) > MOST_SESSIONS:
        raise InvalidFields(FieldError("repeat.rrule", "too_many", _MANY, (("most", MOST_SESSIONS),)))
    starts = [wall.replace(tzinfo=zone).astimezone(UTC) for wall in walls if wall.date() not in without]
    if not starts:
        raise InvalidFields(FieldError("repeat.rrule", "no_date", _NONE))
    return starts


def _parts(rule: str) -> dict[str, str]:
    """The rule's parts by name. Raises InvalidFields for any that is not known."""
    pairs = [part.partition("=") for part in rule.upper().removeprefix("RRULE:").strip(";").split(";")]
    parts = {name: value for name, _, value in pairs}
    well_formed = all(name in _PARTS and re.fullmatch(_PARTS[name], value) for name, value in parts.items())
    if not well_formed or "FREQ" not in parts or len(parts) != len(pairs) or {"COUNT", "UNTIL"} <= set(parts):
        raise InvalidFields(FieldError("repeat.rrule", "unreadable", _UNREADABLE))
    return parts


def _until(text: str | None, zone: ZoneInfo) -> datetime | None:
    """UNTIL on the wall: a day lasts to its end, an instant in UTC is put on the clocks of `zone`."""
    if text is None:
        return None
    try:
        if "T" not in text:
            return datetime.strptime(text, "%Y%m%d") + timedelta(days=1, seconds=-1)  # noqa: DTZ007 - wall time
        wall = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - same
        return wall.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if text.endswith("Z") else wall
    except (ValueError, OverflowError):
        raise InvalidFields(FieldError("repeat.rrule", "unreadable", _UNREADABLE)) from None

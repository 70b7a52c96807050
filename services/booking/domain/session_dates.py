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

_DAY = "MO|TU|WE|TH|FR|SA|SU"
_COUNTED_DAY = f"([+-]?[1-4]|5|-5)({_DAY})"
_MONTH_DAY = r"-?([1-9]|1\d|2[0-8])"
_ALWAYS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]|[1-4]\d|5[0-2]",
    "COUNT": r"[1-9]\d{0,5}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
}
# Only what is bound to match soon: dateutil searches a rule that never does until the year 9999, whatever its UNTIL.
_PARTS: dict[str, dict[str, str]] = {
    "DAILY": _ALWAYS,
    "WEEKLY": _ALWAYS | {"BYDAY": f"({_DAY})(,({_DAY})){{0,6}}", "WKST": _DAY},
    "MONTHLY": _ALWAYS | {"BYDAY": f"{_COUNTED_DAY}(,{_COUNTED_DAY}){{0,6}}"},
    "MONTHLY by day": _ALWAYS | {"BYMONTHDAY": f"{_MONTH_DAY}(,{_MONTH_DAY}){{0,11}}"},
    "YEARLY": _ALWAYS,
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
_FAR = Text(
    fr="La série dépasse trois ans : moins de fois, s'il vous plaît.",
    en="The series goes beyond three years: fewer times, please.",
    nl="De reeks duurt langer dan drie jaar: minder keren, graag.",
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
    until = _until(parts.pop("UNTIL", None), zone) or latest
    if until < begin:
        raise InvalidFields(FieldError("repeat.rrule", "no_date", _NONE))
    count = int(parts.pop("COUNT", 0))
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    days = rrulestr(f"{text};UNTIL={min(until, latest):%Y%m%dT%H%M%S}", dtstart=begin)
    walls = list(islice(days, min(count or MOST_SESSIONS + 1, MOST_SESSIONS + 1)))
    if max(len(walls), count) > MOST_SESSIONS:
        raise InvalidFields(FieldError("repeat.rrule", "too_many", _MANY, (("most", MOST_SESSIONS),)))
    if until > latest or len(walls) < count:
        raise InvalidFields(FieldError("repeat.rrule", "too_far_ahead", _FAR))
    starts = [wall.replace(tzinfo=zone).astimezone(UTC) for wall in walls if wall.date() not in without]
    if not starts:
        raise InvalidFields(FieldError("repeat.rrule", "no_date", _NONE))
    return starts


def _parts(rule: str) -> dict[str, str]:
    """The rule's parts by name. Raises InvalidFields for any that is not known."""
    pairs = [part.partition("=") for part in rule.upper().removeprefix("RRULE:").strip(";").split(";")]
    parts = {name: value for name, _, value in pairs}
    known = _PARTS.get(parts.get("FREQ", "") + (" by day" if "BYMONTHDAY" in parts else ""), {})
    well_formed = all(name in known and re.fullmatch(known[name], value) for name, value in parts.items())
    if not well_formed or len(parts) != len(pairs) or {"COUNT", "UNTIL"} <= set(parts):
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

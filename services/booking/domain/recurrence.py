"""Recurrence rules (RRULE of RFC 5545, 3.3.10) as far as bookings repeat: days, weeks and months, always with an end.

A rule is read against the first occurrence on the resource's wall clock. Whatever is sent, the work is bounded: no
rule is followed beyond the last day that is given, nor beyond `MOST` dates.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Literal
from zoneinfo import ZoneInfo

from services.chassis.problems import FieldError, InvalidFields, Text

MOST = 366
"""Occurrences of one series."""
LONGEST_RULE = 500
_MOST_INTERVAL = 999
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY"]

_RULE = Text(
    fr="Règle de répétition non comprise : {part}.",
    en="The rule of repetition is not understood: {part}.",
    nl="De herhalingsregel is niet begrepen: {part}.",
)
_ENDLESS = Text(
    fr="Une série a une fin : un nombre de fois (COUNT) ou une date (UNTIL), l'un des deux.",
    en="A series has an end: a number of times (COUNT) or a date (UNTIL), one of the two.",
    nl="Een reeks heeft een einde: een aantal keer (COUNT) of een datum (UNTIL), één van beide.",
)
_TOO_MANY = Text(
    fr="Une série a {most} dates au plus.",
    en="A series has {most} dates at most.",
    nl="Een reeks heeft ten hoogste {most} data.",
)
_TOO_FAR = Text(
    fr="Une série va jusqu'au {last} au plus tard.",
    en="A series goes until {last} at the latest.",
    nl="Een reeks loopt uiterlijk tot {last}.",
)
_NOT_FIRST = Text(
    fr="La première date ne suit pas la règle : choisissez une première date qui en fait partie.",
    en="The first date does not follow the rule: choose a first date that does.",
    nl="De eerste datum volgt de regel niet: kies een eerste datum die dat wel doet.",
)


@dataclass(frozen=True)
class ByDay:
    """A day of the week (0 Monday); `nth`: the nth one of the month, from its end when negative, 0 for each."""

    weekday: int
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.nth or ''}{_DAYS[self.weekday]}"


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """A rule, read. `until`: the last day, or the last wall-clock time, or the last instant (UTC)."""

    frequency: Frequency
    interval: int = 1
    by_day: tuple[ByDay, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_position: tuple[int, ...] = ()
    count: int | None = None
    until: date | datetime | None = None

    def __str__(self) -> str:
        """The rule in one canonical order."""
        parts = {
            "FREQ": self.frequency,
            "INTERVAL": str(self.interval) if self.interval > 1 else "",
            "BYDAY": ",".join(map(str, self.by_day)),
            "BYMONTHDAY": ",".join(map(str, self.by_month_day)),
            "BYSETPOS": ",".join(map(str, self.by_position)),
            "COUNT": str(self.count or ""),
            "UNTIL": _written(self.until),
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def recurrence_of(written: str) -> Recurrence:
    """Read a rule ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=10"). Raises InvalidFields for `rrule`."""
    parts = _parts(written)
    frequency = parts.pop("FREQ", "")
    if frequency not in {"DAILY", "WEEKLY", "MONTHLY"}:
        raise _not_understood(f"FREQ={frequency}")
    interval = int(_matching(_NUMBER, parts.pop("INTERVAL", "1"), "INTERVAL"))
    by_day = tuple(_by_day(one) for one in _listed(parts.pop("BYDAY", "")))
    by_month_day = _numbers(parts.pop("BYMONTHDAY", ""), "BYMONTHDAY", most=31)
    by_position = _numbers(parts.pop("BYSETPOS", ""), "BYSETPOS", most=MOST)
    times, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if parts:
        raise _not_understood(next(iter(parts)))
    if not 1 <= interval <= _MOST_INTERVAL:
        raise _not_understood(f"INTERVAL={interval}")
    if (any(day.nth for day in by_day) and frequency != "MONTHLY") or (by_month_day and frequency == "WEEKLY"):
        raise _not_understood(f"FREQ={frequency}")
    if by_position and not (by_day or by_month_day):
        raise _not_understood("BYSETPOS")
    if (times is None) == (until is None):
        raise InvalidFields(FieldError("rrule", "without_end", _ENDLESS))
    return Recurrence(
        frequency=frequency,  # pyright: ignore[reportArgumentType] - one of the three
        interval=interval,
        by_day=by_day,
        by_month_day=by_month_day,
        by_position=by_position,
        count=None if times is None else _count(times),
        until=None if until is None else _until(until),
    )


def dates(rule: Recurrence, first: datetime, zone: ZoneInfo, *, last: date) -> list[date]:
    """The local days on which the series begins, `first` (wall clock in `zone`, without zone) included, in order.

    COUNT counts them before any exception (RFC 5545). A day that a month does not have is passed over. Raises
    InvalidFields: `first` does not follow the rule, more than `MOST` dates, or dates after `last`.
    """
    until = (("last", last.isoformat()),)
    if first.date() > last:
        raise InvalidFields(FieldError("start", "too_far_ahead", _TOO_FAR, until))
    too_far = InvalidFields(FieldError("rrule", "too_far_ahead", _TOO_FAR, until))
    if rule.until is not None and _day_of(rule.until, zone) > last:
        raise too_far
    found: list[date] = []
    for day in _followed(rule, first.date(), last):
        if not found and day != first.date():
            break
        if not _before_end(rule, datetime.combine(day, first.time()), zone):
            break
        found.append(day)
        if len(found) == rule.count:
            return found
        if len(found) > MOST:
            raise InvalidFields(FieldError("rrule", "too_many", _TOO_MANY, (("most", MOST),)))
    if not found:
        raise InvalidFields(FieldError("start", "not_the_first", _NOT_FIRST))
    if rule.count is not None:
        raise too_far
    return found


def _followed(rule: Recurrence, first: date, last: date) -> Iterator[date]:
    """The days of the rule from `first` to `last`, one period (day, week from Monday, month) after the other.

    Not by a library: those that we know look for a date that never comes until the year 9999.
    """
    for number in count():
        days = _days_of_period(rule.frequency, first, number * rule.interval)
        if not days or days[0] > last:
            return
        fitting = [day for day in days if _fits(rule, first, day)]
        if rule.by_position:
            places = {place - 1 if place > 0 else len(fitting) + place for place in rule.by_position}
            fitting = [day for place, day in enumerate(fitting) if place in places]
        yield from (day for day in fitting if first <= day <= last)


def _days_of_period(frequency: Frequency, first: date, number: int) -> list[date]:
    """The days of the `number`th period after that of `first`; none at the end of the calendar."""
    try:
        if frequency == "DAILY":
            return [first + timedelta(days=number)]
        if frequency == "WEEKLY":
            monday = first + timedelta(days=7 * number - first.weekday())
            return [monday + timedelta(days=day) for day in range(7)]
        years, month = divmod(first.month - 1 + number, 12)
        begin = date(first.year + years, month + 1, 1)
        return [begin + timedelta(days=day) for day in range(monthrange(begin.year, begin.month)[1])]
    except (OverflowError, ValueError):
        return []


def _fits(rule: Recurrence, first: date, day: date) -> bool:
    """Whether BYDAY and BYMONTHDAY let `day` pass; without them the first date says which day it is."""
    length = monthrange(day.year, day.month)[1]
    if not rule.by_day and not rule.by_month_day:
        same = {"DAILY": True, "WEEKLY": day.weekday() == first.weekday(), "MONTHLY": day.day == first.day}
        return same[rule.frequency]
    places = (0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1))
    by_day = not rule.by_day or any(ByDay(day.weekday(), nth) in rule.by_day for nth in places)
    return by_day and (not rule.by_month_day or bool({day.day, day.day - length - 1} & set(rule.by_month_day)))


def _before_end(rule: Recurrence, wall: datetime, zone: ZoneInfo) -> bool:
    match rule.until:
        case None:
            return True
        case datetime(tzinfo=None):
            return wall <= rule.until
        case datetime():
            return wall.replace(tzinfo=zone).astimezone(UTC) <= rule.until
        case date():
            return wall.date() <= rule.until


def _day_of(until: date | datetime, zone: ZoneInfo) -> date:
    if not isinstance(until, datetime):
        return until
    try:
        return until.astimezone(zone).date() if until.tzinfo else until.date()
    except OverflowError:
        return until.date()


def _parts(written: str) -> dict[str, str]:
    text = written.strip().upper().removeprefix("RRULE:").rstrip(";")
    if not text or len(text) > LONGEST_RULE:
        raise _not_understood(text[:40])
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise _not_understood(part[:40])
        parts[name] = value
    return parts


def _listed(value: str) -> list[str]:
    return value.split(",") if value else []


def _by_day(written: str) -> ByDay:
    found = _BY_DAY.fullmatch(written)
    if found is None:
        raise _not_understood(f"BYDAY={written[:20]}")
    return ByDay(_DAYS.index(found[2]), int(found[1] or 0))


def _numbers(value: str, name: str, *, most: int) -> tuple[int, ...]:
    numbers = tuple(int(_matching(_NUMBER, one, name)) for one in _listed(value))
    if any(number == 0 or abs(number) > most for number in numbers):
        raise _not_understood(f"{name}={value[:20]}")
    return numbers


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise _not_understood(f"COUNT={value[:20]}")
    if int(value) > MOST:
        raise InvalidFields(FieldError("rrule", "too_many", _TOO_MANY, (("most", MOST),)))
    return int(value)


def _until(value: str) -> date | datetime:
    _matching(_UNTIL, value, "UNTIL")
    try:
        if "T" not in value:
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise _not_understood(f"UNTIL={value}") from error
    return at


def _matching(pattern: re.Pattern[str], value: str, name: str) -> str:
    if not pattern.fullmatch(value):
        raise _not_understood(f"{name}={value[:20]}")
    return value


def _written(until: date | datetime | None) -> str:
    match until:
        case None:
            return ""
        case datetime(tzinfo=None):
            return f"{until:%Y%m%dT%H%M%S}"
        case datetime():
            return f"{until.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        case date():
            return f"{until:%Y%m%d}"


def _not_understood(part: str) -> InvalidFields:
    return InvalidFields(FieldError("rrule", "not_understood", _RULE, (("part", part),)))

"""The dates of a series, and what stands in the way of each: by the same rules as a booking of its own (rule 3)."""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.booking.domain.availability import Rules, search_window
from services.booking.domain.opening import instant
from services.booking.domain.problems import ResourceIsTaken
from services.booking.domain.recurrence import Recurrence, dates
from services.booking.domain.requests import check_request, is_free, nearest_free
from services.booking.domain.spans import Occupied, Span
from services.chassis.problems import FieldError, InvalidFields, Language, Problem, Text

MOST_WITH_ALTERNATIVES = 10
_ANY_DAY = 10_000
_NO_TIME = timedelta(0)

_SKIPPED = Text(
    fr="Cette nuit-là, les horloges sautent cette heure.",
    en="Clocks jump over this hour that night.",
    nl="Die nacht slaan de klokken dit uur over.",
)
_OWN = Text(
    fr="Cette date chevauche une autre date de la série.",
    en="This date overlaps another date of the series.",
    nl="Deze datum overlapt een andere datum van de reeks.",
)
_NOT_A_DATE = Text(
    fr="La série n'a pas de date le {day}.",
    en="The series has no date on {day}.",
    nl="De reeks heeft geen datum op {day}.",
)
_NOTHING = Text(fr="Il ne reste aucune date.", en="There is no date left.", nl="Er blijft geen datum over.")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The occurrence of the local day `day` takes this period instead."""

    day: date
    period: Span


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A series as it is wished: a rule from the `first` period on, without the local days in `exceptions`."""

    rule: Recurrence
    first: Span
    exceptions: frozenset[date] = frozenset()
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One date of a series.

    `day`: the local day by the rule. `original`: the instant at which it begins by the rule (RECURRENCE-ID).
    `exists`: whether clocks show the times of `period` at all on that day.
    """

    day: date
    original: datetime
    period: Span
    exists: bool = True


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Why an occurrence cannot be, and the nearest free periods of the same length."""

    occurrence: Occurrence
    reason: FieldError | Problem
    alternatives: tuple[Span, ...] = ()

    @property
    def code(self) -> str:
        """A stable word: "taken", "closed_day", "outside_hours"."""
        if isinstance(self.reason, FieldError):
            return self.reason.code
        return "taken" if isinstance(self.reason, ResourceIsTaken) else self.reason.slug.rpartition("/")[2]

    def detail(self, language: Language) -> str:
        """The reason as a sentence."""
        if isinstance(self.reason, FieldError):
            return self.reason.say(language)["detail"]
        return str(self.reason.body(language, "")["detail"])


def occurrences(plan: Plan, zone: ZoneInfo, *, last: date) -> list[Occurrence]:
    """The dates of `plan` until the local day `last`, in the order of the rule; wall times stay over clock changes.

    Raises InvalidFields: see `recurrence.dates`; an exception or a moved date that the rule does not have.
    """
    begins, ends = (_wall(at, zone) for at in (plan.first.start, plan.first.end))
    days = dates(plan.rule, begins, zone, last=last)
    moved = {one.day: one.period for one in plan.moved}
    for name, named in (("exceptions", plan.exceptions), ("moved", moved.keys())):
        if strange := sorted(named - set(days)):
            raise InvalidFields(FieldError(name, "not_a_date", _NOT_A_DATE, (("day", strange[0].isoformat()),)))
    found: list[Occurrence] = []
    for day in days:
        if day in plan.exceptions:
            continue
        shift = day - begins.date()
        start, starts = _at(begins + shift, zone)
        end, stops = _at(ends + shift, zone)
        if day == begins.date():
            start, end = plan.first.start, plan.first.end  # the second of an hour that comes twice, if it was that
        exists = starts and stops
        period = Span(start, end if exists else start + plan.first.length)
        one = Occurrence(day=day, original=start, period=period, exists=exists)
        found.append(replace(one, period=moved[day], exists=True) if day in moved else one)
    if not found:
        raise InvalidFields(FieldError("exceptions", "nothing_left", _NOTHING))
    return found


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A move by a difference on the wall clock of `zone`, to a length on that clock."""

    by: timedelta
    length: timedelta
    zone: ZoneInfo

    @classmethod
    def between(cls, old: Span, new: Span, zone: ZoneInfo) -> "Shift":
        """What makes `new` of `old`."""
        begins, ends = _wall(new.start, zone), _wall(new.end, zone)
        return cls(by=begins - _wall(old.start, zone), length=ends - begins, zone=zone)

    def of(self, period: Span, original: datetime) -> Occurrence:
        """Where the occurrence of `original` goes that takes `period` now."""
        wall = _wall(period.start, self.zone) + self.by
        start, starts = _at(wall, self.zone)
        end, stops = _at(wall + self.length, self.zone)
        exists = starts and stops
        moved = Span(start, end if exists else start + self.length)
        return Occurrence(day=wall.date(), original=original, period=moved, exists=exists)


def rules_once_asked(rules: Rules, *, in_series: bool) -> Rules:
    """`rules` for what was asked before: its horizon was looked at then, and has only come nearer for a series."""
    return rules_for_series(rules, _ANY_DAY) if in_series else rules


def rules_for_series(rules: Rules, days: int) -> Rules:
    """`rules` under the horizon of series, where that is farther."""
    return replace(rules, horizon_days=max(rules.horizon_days, days))


def judged(
    rules: Rules,
    wanted: Sequence[Occurrence],
    *,
    quantity: int,
    occupied: Sequence[Occupied],
    now: datetime,
    count: Callable[[Span], None],
) -> tuple[list[Occurrence], list[Conflict]]:
    """Those of `wanted` that can be, each beside the others, and why the rest cannot.

    `occupied`: what others occupy from the first to the last of them, buffers and `search_window` included.
    `count` notes one more period, or raises the Problem that speaks against it (quotas).
    """
    taken = _Taken(Nearby(occupied), Nearby([]), Nearby([]))
    fitting: list[Occurrence] = []
    refused: list[tuple[Occurrence, FieldError | Problem]] = []
    for one in wanted:
        try:
            reason = _hindrance(rules, one, quantity, taken, now)
            if reason is None:
                count(one.period)
        except Problem as problem:
            reason = problem
        if reason is None:
            fitting.append(one)
            taken.own.add(Occupied(rules.occupied(one.period), quantity))
            taken.periods.add(Occupied(one.period, quantity))
        else:
            refused.append((one, reason))
    conflicts = [Conflict(occurrence=one, reason=reason) for one, reason in refused]
    for number, conflict in enumerate(conflicts[:MOST_WITH_ALTERNATIVES]):
        wished = conflict.occurrence.period
        around = search_window(wished)
        there = [*taken.others.around(around), *taken.own.around(around)]
        nearest = nearest_free(rules, wished, quantity=quantity, occupied=there, now=now) if _is_period(wished) else []
        conflicts[number] = replace(conflict, alternatives=tuple(nearest))
    return fitting, conflicts


class Nearby:
    """What is occupied, found by time without looking at all of it."""

    def __init__(self, occupied: Sequence[Occupied]) -> None:
        self._sorted = sorted(occupied)
        self._longest = max((one.span.length for one in occupied), default=_NO_TIME)

    def add(self, one: Occupied) -> None:
        insort(self._sorted, one)
        self._longest = max(self._longest, one.span.length)

    def around(self, window: Span) -> list[Occupied]:
        """What overlaps `window`."""
        begin = bisect_left(self._sorted, window.start - self._longest, key=_start)
        end = bisect_left(self._sorted, window.end, key=_start)
        return [one for one in self._sorted[begin:end] if one.span.overlaps(window)]


@dataclass(frozen=True)
class _Taken:
    """What others occupy, what the series occupies (with buffers), and its periods."""

    others: Nearby
    own: Nearby
    periods: Nearby


def _start(one: Occupied) -> datetime:
    return one.span.start


def _hindrance(
    rules: Rules, one: Occurrence, quantity: int, taken: _Taken, now: datetime
) -> FieldError | Problem | None:
    """What stands in the way of one occurrence. Raises no Problem of its own."""
    if not one.exists:
        return FieldError("start", "skipped_hour", _SKIPPED)
    try:
        check_request(rules, one.period, quantity=quantity, now=now)
    except InvalidFields as problem:
        return problem.errors[0]
    around = rules.occupied(one.period)
    mine, theirs = taken.own.around(around), taken.others.around(around)
    if taken.periods.around(one.period):
        return FieldError("start", "own_overlap", _OWN)
    if is_free(rules, one.period, quantity=quantity, occupied=[*theirs, *mine], now=now):
        return None
    if mine and is_free(rules, one.period, quantity=quantity, occupied=theirs, now=now):
        return FieldError("start", "own_overlap", _OWN)
    return ResourceIsTaken()


def _is_period(span: Span) -> bool:
    return span.length > _NO_TIME


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _at(wall: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The first instant (UTC) at which clocks show `wall`, and whether they ever do; else that of the jump."""
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(at, zone) == wall:
        return at, True
    return instant(wall.date(), wall.hour * 60 + wall.minute, zone), False

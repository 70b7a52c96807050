"""How well an offer fits a need, and why; and what is missing when it nearly does."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from services.matching import free_time, words
from services.matching.free_time import Interval, Rules
from services.matching.relevance import FITTING_MEANING, is_about, relevance

Code = Literal[
    "words", "meaning", "topic", "category", "kind", "distance", "free", "days", "quantity", "rested", "owed", "owing"
]

Status = Literal["proposed", "seen", "contacted", "accepted", "declined"]
Reason = Literal["too_far", "not_it", "gone"]
"""Why a match was declined: too far, not what is looked for, no longer to be had."""

How = Literal["instant", "daily", "weekly"]
"""When a member is told of what a saved search finds."""

RESTING_DAYS = 30
ASKING_AFTER_DAYS = 7
"""So long after a match was accepted its author is asked whether it worked out."""

TELLING_SCORE = 0.55
"""How much an offer must have of what is asked (`Fit.about`) for the author of a need to be told without having asked.

Of those that reach it, four in five are right where the taxonomy knows the subject, three in five where it may not
(`python -m tests.bench.matching telling`).
"""

SAME_KIND, _NEAR_KIND = 0.3, 0.06
NEAR_TO_ALL = "equipment"
"""Three in four things that are right and of another kind than was ticked are equipment, or equipment was ticked."""

_ABOUT = ("relevance", "kind", "category")
_CATEGORY, _NEAR, _FREE = 0.15, 0.1, 0.05
NEAR_TIE = 0.05
"""What fairness can move between two offers at the most: with other terms farther apart it changes nothing."""

_RESTED, _OFTEN = 0.03, 4
"""What those earn who were not asked lately; asked so often, nothing."""

_BALANCE = (NEAR_TIE - _RESTED) / 2
"""What an offer of a peer earns who has used our things more often than we theirs; the other way round it loses it."""

_FEW_USES = 4
"""So few uses more on one side are half of what balance can give."""
_NEAR_KM = 30.0
_EARTH_KM = 6371.0088
STAYS_AT_HOME: frozenset[str] = frozenset({"machine", "equipment", "space", "material"})


@dataclass(frozen=True, kw_only=True)
class Point:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Between us and a peer: how often theirs used ours (`given`), and ours theirs (`received`)."""

    given: int
    received: int

    @property
    def balance(self) -> float:
        """From -1 (we used theirs) through 0 (even) to 1 (they used ours); a few more weigh little."""
        return (self.given - self.received) / (abs(self.given - self.received) + _FEW_USES)


@dataclass(frozen=True, kw_only=True)
class Need:
    """What is wanted. `window`: when, if that was said."""

    kind: str
    category: str
    quantity: int
    point: Point | None
    window: Interval | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What may fit. `coverage`: the share of the need's words that it has (0 to 1); `shared`: those words.

    `meaning`: how near it is by meaning (-1 to 1), None when that is not known (yet); `topic`: the code of the category
    that both are nearest to; `nearness`: both by name, for a sentence. `asked`: how often its owner was asked lately,
    None where nobody was. `peer`: the cooperative that it comes from, `uses` what went to and fro, None for ours.
    """

    kind: str
    category: str
    quantity: int
    point: Point | None
    coverage: float
    shared: tuple[str, ...]
    meaning: float | None = None
    topic: str | None = None
    nearness: str = ""
    asked: int | None = None
    peer: str = ""
    uses: Uses | None = None
    rules: Rules | None = None
    busy: Sequence[Interval] = ()


@dataclass(frozen=True)
class Term:
    """One reason, or one thing that is missing; `value` is its figure, `by` how much of it is missing (km, pieces)."""

    code: Code
    value: str
    by: str = ""


@dataclass(kw_only=True)
class Fit:
    """The answer. `missing` empty: it fits; one entry: a near miss, which names it.

    `gains`: what makes the score, each times its term's factor (1.0 where `factors` has none).
    """

    score: float = 0.0
    reasons: list[Term] = field(default_factory=list[Term])
    missing: list[Term] = field(default_factory=list[Term])
    gains: dict[str, float] = field(default_factory=dict[str, float])
    factors: Mapping[str, float] = field(default_factory=dict[str, float])

    def add(self, code: Code, value: str, gain: float) -> None:
        self.reasons.append(Term(code, value))
        self.gain(code, gain)

    def gain(self, what: str, gain: float) -> None:
        if gain:
            self.gains[what] = round(gain, 4)
            self.score += gain * self.factors.get(what, 1.0)

    @property
    def about(self) -> float:
        """The part of the score that says whether it is what is asked, wherever and whenever it is."""
        return sum(self.gains.get(what, 0.0) * self.factors.get(what, 1.0) for what in _ABOUT)

    @property
    def is_likely(self) -> bool:
        """Whether it is so likely what is asked that the author is told of it."""
        return self.about >= TELLING_SCORE

    def favour(self, what: str, gain: float) -> None:
        """A gain of fairness: no factor makes more of it."""
        if gain:
            self.gains[what] = round(gain, 4)
            self.score += gain


def widest(need: Mapping[Any, Any], farthest_km: float) -> tuple[float | None, Literal["cooperative", "peers"] | None]:
    """How much farther (km) and to whom a need might go, one step each; None where it could go no farther."""
    placed = need["latitude"] is not None and need["longitude"] is not None
    radius = 2 * farthest_km if placed and need["kind"] in STAYS_AT_HOME else None
    steps: dict[str, Literal["cooperative", "peers"]] = {"circle": "cooperative", "cooperative": "peers"}
    return radius, steps.get(need["scope"])


def distance_km(one: Point, other: Point) -> float:
    """The way along the ground as the crow flies (haversine)."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def kind_gain(asked: str, offered: str) -> float:
    """What an offer earns for its kind, by the kind that was ticked."""
    if asked == offered:
        return SAME_KIND
    return _NEAR_KIND if NEAR_TO_ALL in {asked, offered} else 0.0


def fit(
    need: Need, offer: Offer, *, now: datetime, farthest_km: float, factors: Mapping[str, float] | None = None
) -> Fit | None:
    """How `offer` fits `need` at `now`; None when it is about something else. `factors`: how much each term counts.

    What only its kind lets in is no near miss: it has to fit in all else.
    """
    of_kind = offer.kind == need.kind
    if not is_about(offer.coverage, offer.meaning, of_kind=of_kind):
        return None
    found = Fit(factors=factors or {})
    found.gain("relevance", relevance(offer.coverage, offer.meaning))
    if offer.shared:
        found.add("words", ", ".join(offer.shared), 0.0)
    if offer.meaning is not None and offer.meaning >= FITTING_MEANING:
        found.add("meaning", offer.nearness, 0.0)
        if offer.topic is not None:
            found.add("topic", offer.topic, 0.0)
    found.gain("kind", kind_gain(need.kind, offer.kind))
    if of_kind:
        found.add("kind", offer.kind, 0.0)
    if need.category and same_words(need.category, offer.category):
        found.add("category", offer.category, _CATEGORY)
    _judge_distance(found, need, offer, farthest_km)
    _judge_quantity(found, need, offer)
    _judge_time(found, need, offer, now)
    _be_fair(found, offer)
    return found if not found.missing or is_about(offer.coverage, offer.meaning) else None


def _be_fair(found: Fit, offer: Offer) -> None:
    """Between those who fit about alike: who was asked often rests, and uses between cooperatives balance."""
    if offer.asked is not None and offer.asked < _OFTEN:
        found.favour("rested", _RESTED * (1 - offer.asked / _OFTEN))
        if offer.asked == 0:
            found.add("rested", "", 0.0)
    if offer.uses is not None and offer.uses.balance:
        found.favour("balance", _BALANCE * offer.uses.balance)
        found.add("owed" if offer.uses.balance > 0 else "owing", offer.peer, 0.0)


def same_words(one: str, other: str) -> bool:
    """Whether two category names say the same, whatever their case, accents and signs."""
    return words.folded(words.spaced(one)) == words.folded(words.spaced(other))


def interval_text(period: Interval) -> str:
    """An ISO 8601 interval."""
    return f"{period[0].isoformat()}/{period[1].isoformat()}"


def _judge_distance(found: Fit, need: Need, offer: Offer, farthest_km: float) -> None:
    """People and documents travel; things beyond `farthest_km` are too far."""
    if need.point is None or offer.point is None:
        return
    km = distance_km(need.point, offer.point)
    if km > farthest_km and offer.kind in STAYS_AT_HOME:
        found.missing.append(Term("distance", f"{km:.0f}", by=f"{max(1, km - farthest_km):.0f}"))
    else:
        found.add("distance", f"{km:.1f}" if km < 10 else f"{km:.0f}", _NEAR / (1 + km / _NEAR_KM))  # noqa: PLR2004


def _judge_quantity(found: Fit, need: Need, offer: Offer) -> None:
    if offer.quantity < need.quantity:
        found.missing.append(Term("quantity", str(offer.quantity), by=str(need.quantity - offer.quantity)))
    elif need.quantity > 1:
        found.add("quantity", str(offer.quantity), 0.0)


def _judge_time(found: Fit, need: Need, offer: Offer, now: datetime) -> None:
    """Only what can be booked has free times; of the rest we know nothing, and say nothing. A past period asks nothing.

    Half of what it earns for any free time, half by how many of the days asked for have some.
    """
    if need.window is None or offer.rules is None or need.window[1] <= now:
        return
    start, end = need.window
    free = free_time.first_free(offer.rules, offer.busy, start=start, end=end, now=now)
    if free is not None:
        days = free_time.free_days(offer.rules, offer.busy, start=max(start, now), end=end, now=now)
        asked = min(free_time.MOST_NAMED_DAYS, (end - max(start, now)) / timedelta(days=1) + 1)
        found.add("free", interval_text(free), _FREE * (1 + min(1.0, len(days) / asked)) / 2)
        if len(days) > 1:
            found.add("days", ",".join(day.isoformat() for day in days), 0.0)
        return
    far_future = now.replace(year=now.year + 2, day=1)
    later = free_time.first_free(offer.rules, offer.busy, start=max(end, now), end=far_future, now=now)
    found.missing.append(Term("free", interval_text(later) if later else ""))

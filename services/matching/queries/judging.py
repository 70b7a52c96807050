"""How offers fit a need: all likely ones by what ranks them, those that are shown with their reasons."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.matching.domain import Fit, Need, Offer, Point, fit
from services.matching.free_time import Interval
from services.matching.meaning import Vector
from services.matching.queries import results
from services.matching.queries.candidates import Candidate
from services.matching.queries.fairness import Fairness

_HEAD_ENDS = re.compile(r"[,:;.](?=\s)|[(–]|\s-\s")
_LONGEST_HEAD = 60
_OPEN_WINDOW = timedelta(days=60)

Row = sa.RowMapping


@dataclass(frozen=True)
class Match:
    """An offer's row and how it fits."""

    row: Row
    fit: Fit


@dataclass(frozen=True)
class Judged:
    """An offer before its whole row was read: its fit has all but the reasons that quote texts."""

    one: Candidate
    fit: Fit


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What offers are compared with. `vector`: the need's, None when it has none (yet)."""

    need: Row
    vector: Vector | None
    fair: Fairness
    factors: Mapping[str, float]
    now: datetime
    farthest_km: float

    @property
    def asks_for_time(self) -> bool:
        """Whether calendars count."""
        return bool(self.need["window_start"] or self.need["window_end"])

    def all_of(self, found: Sequence[Candidate], calendars: Mapping[results.Key, Row]) -> list[Judged]:
        """Those that may fit, the best first."""
        judged = [(one, self._fit(one, calendars.get(one.key), None)) for one in found]
        fitting = [Judged(one, judgement) for one, judgement in judged if judgement is not None]
        return sorted(fitting, key=lambda each: (-each.fit.score, *each.one.key))

    def match(self, one: Candidate, row: Row) -> Match | None:
        """The same for one offer, with all reasons. `row`: the whole one, with its calendar and the shared words."""
        judgement = self._fit(one, row, row)
        return None if judgement is None else Match(row, judgement)

    def _fit(self, one: Candidate, calendar: Row | None, row: Row | None) -> Fit | None:
        offer = self._offer(one, calendar, row)
        return fit(_need(self.need, self.now), offer, now=self.now, farthest_km=self.farthest_km, factors=self.factors)

    def _offer(self, one: Candidate, calendar: Row | None, row: Row | None) -> Offer:
        light, near = one.row, self.vector.topics if self.vector is not None else ()
        return Offer(
            kind=light["kind"],
            category=light["category"],
            quantity=light["quantity"],
            point=point(light),
            coverage=one.coverage,
            shared=() if row is None else tuple(row["shared"]),
            meaning=one.meaning,
            topic=next((topic for topic in light["topics"] or () if topic in near), None),
            nearness="" if row is None else f"{_head(row['title'])} ~ {_head(self.need['title'])}",
            asked=self.fair.asked[light["owner_member_id"] or light["id"]] if self.fair.asked else None,
            peer=light["origin_name"] or "",
            uses=self.fair.with_peers.get(light["origin"]),
            rules=None if calendar is None else results.rules_of(calendar),
            busy=() if calendar is None else results.busy_of(calendar),
        )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How many are shown of those that fit and of those that fit but for one thing; none of `leave_out`."""

    most: int
    near_misses: int
    leave_out: Collection[results.Key] = ()

    def of(self, found: Sequence[Judged]) -> list[Judged]:
        """Those, in their order."""
        wanted = [each for each in found if each.one.key not in self.leave_out]
        fitting = [each for each in wanted if not each.fit.missing][: self.most]
        misses = [each for each in wanted if len(each.fit.missing) == 1][: self.near_misses]
        chosen = {each.one.key for each in (*fitting, *misses)}
        return [each for each in wanted if each.one.key in chosen]


def point(row: Row) -> Point | None:
    """Where a thing is."""
    if row["latitude"] is None or row["longitude"] is None:
        return None
    return Point(latitude=row["latitude"], longitude=row["longitude"])


def _need(row: Row, now: datetime) -> Need:
    window: Interval | None = None
    if row["window_start"] or row["window_end"]:
        start = row["window_start"] or now
        window = (start, row["window_end"] or start + _OPEN_WINDOW)
    return Need(kind=row["kind"], category=row["category"], quantity=row["quantity"], point=point(row), window=window)


def _head(title: str) -> str:
    """The part of a title that names the thing."""
    head = _HEAD_ENDS.split(title, maxsplit=1)[0].strip() or title.strip()
    return head if len(head) <= _LONGEST_HEAD else head[:_LONGEST_HEAD].rsplit(" ", 1)[0] + "…"

"""What the API answers."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from contracts.catalog import Kind, Side, Urgency
from contracts.identity import Locale
from services.chassis.paging import Page
from services.matching.domain import Code


class ReasonView(BaseModel):
    """Why, or what is missing. `value`: words, a category, a kind's name, km, an ISO 8601 interval, or a count."""

    code: Code
    value: str


class ResultView(BaseModel):
    """An offer or a need that was found. `origin` None: ours. `bookable`: its times can be seen and asked for."""

    id: UUID
    origin: str | None
    origin_name: str | None
    side: Side
    kind: Kind
    title: str
    excerpt: str
    category: str
    language: Locale
    quantity: int
    unit: str
    urgency: Urgency
    window_start: datetime | None
    window_end: datetime | None
    place_label: str | None
    latitude: float | None
    longitude: float | None
    distance_km: float | None
    owner_name: str | None
    reasons: list[ReasonView]
    bookable: bool
    changed_at: datetime


class SearchPage(Page[ResultView]):
    """A page of results. `total`: how many there are on all pages."""

    total: int


class MatchView(ResultView):
    """An offer for a need. `score` only orders; it is no percentage."""

    score: float


class NearMissView(MatchView):
    """An offer that would fit but for one thing: its km, how many there are, or the next free interval."""

    missing: ReasonView


class MatchesView(BaseModel):
    """The offers for a need, best first, and those that nearly fit."""

    need_id: UUID
    items: list[MatchView]
    near_misses: list[NearMissView]

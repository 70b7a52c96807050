"""What the API answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.catalog import Kind, Side, Urgency
from contracts.identity import Locale
from contracts.matching import IntroductionParty, IntroductionStatus
from services.chassis.paging import Page
from services.matching.domain import Code, Status


class ReasonView(BaseModel):
    """Why, or what is missing. `value`: words, a category, a kind's name, km, an ISO 8601 interval, or a count.

    Of the code `days`: local days (ISO 8601) with commas between them; of `owed` and `owing` the peer's name.
    """

    code: Code
    value: str


class LackView(ReasonView):
    """What is missing. `by`: how many km it is too far, or how many are too few; empty for the rest."""

    by: str = ""


class SkillView(BaseModel):
    """A skill or an occupation that a thing is called like. `code`: ESCO's address, ROME's code; `label`: its name."""

    scheme: Literal["esco", "rome"]
    code: str
    label: str


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
    tags: list[str] = []
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
    skills: list[SkillView] = Field(default_factory=list[SkillView])


class FacetView(BaseModel):
    """A choice that narrows the results to `count` of them. `label`: its name, where it has one of its own."""

    value: str
    label: str
    count: int


class SearchPage(Page[ResultView]):
    """A page of results. `total`: how many there are on all pages; `at_least`: there are more than that, uncounted.

    `nearest`: nothing fits, these are the nearest in meaning. `by_meaning`: False when only words were compared.
    `facets`: by parameter of the address (`side`, `kind`, `topic`, `tag`, `origin`, `spoken`), `km` for the distance,
    and `free` for local days "first/last" in which they are free or without a calendar.
    """

    total: int
    at_least: bool = False
    nearest: bool = False
    by_meaning: bool = False
    facets: dict[str, list[FacetView]] = Field(default_factory=dict[str, list[FacetView]])


class CategoryView(BaseModel):
    """A category in the reader's language, and the group that it is in."""

    code: str
    name: str
    group: str


class SuggestionsView(BaseModel):
    """What may be meant by what was typed until now."""

    titles: list[str]
    categories: list[CategoryView]


class IntroductionLink(BaseModel):
    """What came of asking to be put in touch about a match."""

    id: UUID
    status: IntroductionStatus


class PromiseView(BaseModel):
    """How much somebody promised towards a need, with the introduction (`id`, `peer` of its asker) that says so.

    `received_at`: when the need's author had it.
    """

    id: UUID
    peer: str | None
    quantity: int
    by: IntroductionParty
    received_at: datetime | None = None


class PledgesView(BaseModel):
    """How much of a need was promised, by how many, and what is missing; all count `unit`. Nobody is named."""

    wanted: int
    unit: str
    promised: int
    received: int
    missing: int
    people: int


class WideningView(BaseModel):
    """Nobody had answered: what the author was asked, and said. `widened` None: not answered yet.

    `radius_km`, `scope`: how far and to whom it would go or went; None: as before.
    """

    asked_at: datetime
    radius_km: float | None
    scope: Literal["cooperative", "peers"] | None
    answered_at: datetime | None
    widened: bool | None


class MatchView(ResultView):
    """An offer for a need. `score` only orders; it is no percentage. `likely`: False when it only may be what is asked.

    `status`: what the need's author made of it; `ask_outcome`: it was accepted a week ago, did it work out?
    """

    score: float
    likely: bool
    status: Status = "proposed"
    outcome: bool | None = None
    ask_outcome: bool = False
    introduction: IntroductionLink | None = None


class NearMissView(MatchView):
    """An offer that would fit but for one thing: its km, how many there are, or the next free interval."""

    missing: LackView


class MatchesView(BaseModel):
    """The offers for a need, likely ones and the best first, and those that nearly fit.

    `by_meaning`: False when only words count.
    `past`: the period in which it is wanted is over, so nobody's free time was looked at.
    """

    need_id: UUID
    by_meaning: bool = False
    past: bool = False
    items: list[MatchView]
    near_misses: list[NearMissView]
    promised: list[PromiseView] = Field(default_factory=list[PromiseView])
    widening: WideningView | None = None

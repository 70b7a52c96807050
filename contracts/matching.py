"""What matching says: offers proposed for a need, with the reasons."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.acts import ActRecorded
from contracts.catalog import Kind, Side
from contracts.envelope import Data, Event


class Reason(Data):
    """Why an offer was proposed. `code` names the term; `value` is its figure (km, a word, a category) as text."""

    code: Literal["words", "category", "kind", "distance", "free", "quantity"]
    value: str


class Proposal(Data):
    """One offer for the need, best first in the list. `origin` is None for our own, else the peer's instance id."""

    offer_id: UUID
    origin: str | None
    origin_name: str | None
    title: str
    reasons: list[Reason]


class MatchesProposed(Event):
    """New offers were found for a need: only those that its author had not been told of."""

    type: ClassVar[str] = "matching.matches_proposed.v1"
    need_id: UUID
    need_title: str
    need_owner_id: UUID
    proposals: list[Proposal]

    @property
    def subject(self) -> str:
        return str(self.need_id)


class FoundThing(Data):
    """An offer or need that a saved search found. `origin` is None for our own, else the peer's instance id."""

    id: UUID
    origin: str | None
    origin_name: str | None
    side: Side
    kind: Kind
    title: str
    place_label: str | None


class FoundBySearch(Data):
    """What one saved search found. `found`: some of it, the newest first; `total`: how many there are.

    `key`: whoever has it may stop the alerts of this search, and nothing else.
    """

    search_id: UUID
    name: str
    key: str
    total: int
    found: list[FoundThing]


class SearchesFound(Event):
    """Saved searches of a member found what the member was not told of before.

    `how`: at once, or gathered over a day or a week. Each thing is told of once, whichever search finds it.
    """

    type: ClassVar[str] = "matching.searches_found.v1"
    member_id: UUID
    how: Literal["instant", "daily", "weekly"]
    searches: list[FoundBySearch]

    @property
    def subject(self) -> str:
        return str(self.member_id)


class MatchingActRecorded(ActRecorded):
    """A coordinator or administrator changed something in matching."""

    type: ClassVar[str] = "matching.act_recorded.v1"

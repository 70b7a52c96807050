"""What matching says: offers proposed for a need, with the reasons."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.acts import ActRecorded
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


class MatchingActRecorded(ActRecorded):
    """A coordinator or administrator changed something in matching."""

    type: ClassVar[str] = "matching.act_recorded.v1"

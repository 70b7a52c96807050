"""What matching says: offers proposed for a need, with the reasons."""

from datetime import datetime
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


IntroductionStatus = Literal["asked", "accepted", "declined", "withdrawn"]
DeclineReason = Literal["too_far", "not_it", "gone"]
"""Too far, not what is looked for, no longer to be had."""


class IntroductionParty(Data):
    """One of two people. Ours has `member_id` and `name`; a peer's has `peer_id`, and `pseudonym` when it asked."""

    member_id: UUID | None = None
    name: str | None = None
    peer_id: str | None = None
    peer_name: str | None = None
    pseudonym: str | None = None


class IntroductionState(Data):
    """Somebody asks to be put in touch with whoever answers for an offer or a need. No address is in it.

    `asker`'s cooperative made `id`. `need_id`: the asker's need that `thing_id` may be for. `quantity`: how much of
    what is needed was promised with it.
    """

    id: UUID
    thing_id: UUID
    thing_origin: str | None
    thing_title: str
    need_id: UUID | None
    asker: IntroductionParty
    owner: IntroductionParty
    message: str
    quantity: int | None
    status: IntroductionStatus
    reason: DeclineReason | None
    version: int
    changed_at: datetime


class IntroductionEvent(Event):
    """What happened to it; the whole state."""

    introduction: IntroductionState

    @property
    def subject(self) -> str:
        return str(self.introduction.id)


class IntroductionAsked(IntroductionEvent):
    """The other side is asked first: no address is told to anybody."""

    type: ClassVar[str] = "matching.introduction_asked.v1"


class IntroductionAnswered(IntroductionEvent):
    """Accepted: both may know each other's name and address now. Or declined."""

    type: ClassVar[str] = "matching.introduction_answered.v1"


class IntroductionWithdrawn(IntroductionEvent):
    """Whoever asked no longer asks. `unanswered`: not by their own wish, but because nobody has answered for long."""

    type: ClassVar[str] = "matching.introduction_withdrawn.v1"
    unanswered: bool = False


class OutcomeAsked(Event):
    """A match was accepted a week ago: did it work out? Whoever has `key` may say so, and nothing else."""

    type: ClassVar[str] = "matching.outcome_asked.v1"
    need_id: UUID
    need_title: str
    member_id: UUID
    offer_id: UUID
    origin: str | None
    origin_name: str | None
    offer_title: str
    key: str

    @property
    def subject(self) -> str:
        return str(self.need_id)


class NeedUnanswered(Event):
    """Nobody answered a need for `days`: its author is asked, once, whether it may be widened.

    `radius_km`: how far things might be then; `scope`: who might see it then; None: as before.
    """

    type: ClassVar[str] = "matching.need_unanswered.v1"
    need_id: UUID
    need_title: str
    member_id: UUID
    days: int
    radius_km: float | None
    scope: Literal["cooperative", "peers"] | None

    @property
    def subject(self) -> str:
        return str(self.need_id)


class NeedWidened(Event):
    """The author of a need (`by`) said yes to widening it."""

    type: ClassVar[str] = "matching.need_widened.v1"
    need_id: UUID
    by: UUID
    radius_km: float | None
    scope: Literal["cooperative", "peers"] | None
    at: datetime

    @property
    def subject(self) -> str:
        return str(self.need_id)


class MatchingActRecorded(ActRecorded):
    """A coordinator or administrator changed something in matching."""

    type: ClassVar[str] = "matching.act_recorded.v1"

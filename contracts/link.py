"""What two border posts say to each other about their link itself: what is missing, what still counts, who holds what.

Signed and numbered like `contracts.border`. A reader that does not know a type refuses it and goes on. `public`: said
on a link of two about the stream of what one of them shares with everybody, which comes by way of a hub.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.border import BorderBookingAnswered
from contracts.envelope import Data, Event


class LinkWord(Event):
    """About the link, not about a thing on it."""

    @property
    def subject(self) -> str:
        return self.type


class ReplayAsked(LinkWord):
    """These numbers of yours never came: say them again. `first` and `last` are both wanted."""

    type: ClassVar[str] = "link.replay_asked.v1"
    epoch: int
    first: int
    last: int
    public: bool = False


class NumbersSkipped(LinkWord):
    """What I said under these numbers is no longer in my log: go on after `last`, and compare with my manifest."""

    type: ClassVar[str] = "link.numbers_skipped.v1"
    epoch: int
    first: int
    last: int
    public: bool = False


class Receipt(LinkWord):
    """All of yours up to `applied_to` is applied. `copies`: how many of your listings I hold.

    `proof`: something that you signed under a number that you seem not to know of any more.
    """

    type: ClassVar[str] = "link.receipt.v1"
    epoch: int
    applied_to: int
    copies: int
    proof: str | None = None
    public: bool = False


class PageDigest(Data):
    """A range of ids from `first` up to the next page's: how many I share with you, and the digest of their lines."""

    first: UUID
    count: int
    digest: str


class ManifestTold(LinkWord):
    """All that I share with you, when I had said `as_of_seq`: what is in none of the pages is no longer shared."""

    type: ClassVar[str] = "link.manifest_told.v1"
    as_of_seq: int
    count: int
    pages: list[PageDigest]
    public: bool = False


class ManifestAsked(LinkWord):
    """Tell me your manifest now."""

    type: ClassVar[str] = "link.manifest_asked.v1"
    public: bool = False


class ManifestPageAsked(LinkWord):
    """The lines of your manifest from `first` up to `until` (not included; None: to the end)."""

    type: ClassVar[str] = "link.manifest_page_asked.v1"
    first: UUID
    until: UUID | None
    public: bool = False


class ManifestLine(Data):
    """A thing that I share with you, and which versions of it you were told (0: not told)."""

    id: UUID
    listing: int
    resource: int
    busy: int


class ManifestPageTold(LinkWord):
    """Every thing from `first` up to `until` that I share with you, by id."""

    type: ClassVar[str] = "link.manifest_page_told.v1"
    as_of_seq: int
    first: UUID
    until: UUID | None
    lines: list[ManifestLine]
    public: bool = False


class BookingLine(Data):
    """An open booking of my resource by your member, as I last told it."""

    id: UUID
    version: int
    status: str


class BookingsTold(LinkWord):
    """Open bookings of my resources by your members, all of them or, when there are many, some."""

    type: ClassVar[str] = "link.bookings_told.v1"
    lines: list[BookingLine]


class ThingsAsked(LinkWord):
    """Say again what I lack: listings by id, and how bookings of your resources stand."""

    type: ClassVar[str] = "link.things_asked.v1"
    listings: list[UUID]
    bookings: list[UUID]


class RecoveryAsked(LinkWord):
    """I come back from a backup and begin anew: hand back what I have promised you and asked of you since."""

    type: ClassVar[str] = "link.recovery_asked.v1"
    restored_at: datetime


class DecisionHandedBack(LinkWord):
    """A booking that my member has with you. `request`: what we asked; `decision`: your own signed answer to it.

    Also of one that you have declined or called off, while its period is to come: it is over here for good.
    """

    type: ClassVar[str] = "link.decision_handed_back.v1"
    request: str
    decision: str


class RequestHandedBack(LinkWord):
    """A booking of my resource that your member has asked for. `request`: what you said, as you signed it.

    `answer`: how it stands here; None while that is not decided.
    """

    type: ClassVar[str] = "link.request_handed_back.v1"
    request: str
    answer: BorderBookingAnswered | None = None


class RecoveryAnswered(LinkWord):
    """That was all. `handed_back`: how many decisions and requests."""

    type: ClassVar[str] = "link.recovery_answered.v1"
    handed_back: int


class KeysChanged(LinkWord):
    """My key set has changed: here is the new one, signed by my root key."""

    type: ClassVar[str] = "link.keys_changed.v1"
    key_set: str


class PersonErased(LinkWord):
    """The person behind this pseudonym has left: forget what you keep of them. Your receipt acknowledges it.

    `booking_ids`: for which bookings you were given their name and address.
    """

    type: ClassVar[str] = "link.person_erased.v1"
    pseudonym: str
    booking_ids: tuple[UUID, ...] = ()


class MemberTold(LinkWord):
    """A hub tells who one of its members is, or that it has left. `member`: the hub's own id of it, for good.

    `key_set`: signed by the root key whose thumbprint `instance_id` is; a hub can neither change nor make one.
    """

    type: ClassVar[str] = "link.member_told.v1"
    member: UUID
    instance_id: str
    name: str
    summary: str
    web: str
    status: Literal["member", "left"]
    key_set: str

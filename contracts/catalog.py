"""What catalog says: offers and needs of this cooperative's members and circles."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.acts import ActRecorded
from contracts.envelope import Data, Event
from contracts.identity import Locale, Place

Side = Literal["offer", "need"]
Kind = Literal["expertise", "equipment", "machine", "space", "material", "training", "help", "document"]
Scope = Literal["circle", "cooperative", "peers", "public"]
Urgency = Literal["low", "normal", "high"]


class Audience(Data):
    """Who may see a listing.

    `circle`: the members of `circle_ids`; `cooperative`: every member; `peers`: also linked cooperatives
    (`peer_ids` names chosen ones by instance id, empty means all); `public`: everybody.
    """

    scope: Scope
    circle_ids: list[UUID] = Field(default_factory=list[UUID])
    peer_ids: list[str] = Field(default_factory=list[str])


class ListingState(Data):
    """An offer or a need, whole.

    `valid_from`/`valid_until`: when it stands in the catalogue (None: open). `window_start`/`window_end`: for a need,
    when it is wanted. `quantity` counts `unit` (e.g. 40 "chaises"). `owner_member_id` answers for it, also when it
    belongs to the circle `owner_circle_id`. `place.label` is the full address; peers only get a rounded place.
    `tags`: words that its author added freely.
    """

    id: UUID
    side: Side
    kind: Kind
    title: str
    text: str
    category: str
    language: Locale
    place: Place | None
    quantity: int
    unit: str
    owner_member_id: UUID
    owner_circle_id: UUID | None
    owner_name: str
    audience: Audience
    valid_from: datetime | None
    valid_until: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    urgency: Urgency
    version: int
    changed_at: datetime
    tags: tuple[str, ...] = ()


class ListingPublished(Event):
    """An offer or a need was published, or changed: the newest version is the whole truth."""

    type: ClassVar[str] = "catalog.listing_published.v1"
    listing: ListingState

    @property
    def subject(self) -> str:
        return str(self.listing.id)


class ListingWithdrawn(Event):
    """An offer or a need is no longer there. `version` is its tombstone's: older versions must not come back."""

    type: ClassVar[str] = "catalog.listing_withdrawn.v1"
    id: UUID
    side: Side
    version: int
    reason: Literal["withdrawn", "expired", "owner_left"]

    @property
    def subject(self) -> str:
        return str(self.id)


class CatalogActRecorded(ActRecorded):
    """A coordinator or administrator changed something in catalog."""

    type: ClassVar[str] = "catalog.act_recorded.v1"

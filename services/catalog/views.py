"""What the API answers."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel

from contracts.catalog import Audience, Kind, Scope, Side, Urgency
from contracts.identity import Locale, Place
from contracts.shared import SharedListing
from services.catalog import states
from services.catalog.domain import may_edit
from services.chassis.auth import Actor

Status = Literal["published", "withdrawn", "expired"]


class AudienceView(BaseModel):
    """See `contracts.catalog.Audience`. Circles and peers are only told to those who may edit."""

    scope: Scope
    circle_ids: list[UUID] = []
    peer_ids: list[str] = []


class ListingView(BaseModel):
    """An offer or a need, ours (`origin` None) or a copy of a peer's (no owner, a rounded place).

    `mine`: the reader answers for it. Instants are UTC.
    """

    id: UUID
    origin: str | None = None
    origin_name: str | None = None
    side: Side
    kind: Kind
    title: str
    text: str
    category: str
    tags: list[str] = []
    language: Locale
    place: Place | None
    quantity: int
    unit: str
    owner_member_id: UUID | None
    owner_circle_id: UUID | None
    owner_name: str | None
    audience: AudienceView
    valid_from: datetime | None
    valid_until: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    urgency: Urgency
    status: Status
    version: int
    changed_at: datetime
    mine: bool
    may_edit: bool


class KindView(BaseModel):
    """A kind and its word in each language."""

    kind: Kind
    fr: str
    nl: str
    en: str


def own_view(row: sa.RowMapping, actor: Actor | None, circles: set[UUID]) -> ListingView:
    """A row of `listings` as `actor` sees it. Somebody without an account learns no member's or circle's id."""
    state = states.state_of(row).model_dump()
    owner = {"owner_id": row["owner_member_id"], "circle_id": row["owner_circle_id"]}
    editable = actor is not None and may_edit(
        actor_id=actor.id, is_coordinator=actor.is_coordinator, circles=circles, **owner
    )
    if actor is None:
        state |= {"owner_member_id": None, "owner_circle_id": None}
    if not editable:
        state["audience"] = Audience(scope=row["scope"]).model_dump()
    mine = actor is not None and actor.id == row["owner_member_id"]
    return ListingView(**state, status=row["status"], mine=mine, may_edit=editable)


def copy_view(row: sa.RowMapping) -> ListingView:
    """A row of `copies`."""
    shared = SharedListing.model_validate(row["listing"])
    extra: dict[str, Any] = {
        "origin": row["origin"],
        "origin_name": row["origin_name"],
        "owner_member_id": None,
        "owner_circle_id": None,
        "owner_name": None,
        "audience": AudienceView(scope="public" if shared.public else "peers"),
        "valid_from": None,
        "status": "published",
        "mine": False,
        "may_edit": False,
    }
    return ListingView(**shared.model_dump(exclude={"public"}), **extra)

"""What the API answers about links, invitations and refusals."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from contracts.catalog import Kind as ListingKind
from contracts.shared import SharedListing
from services.federation.domain import Kind, Status
from services.federation.keys import thumbprint_for_people
from services.federation.queries import trouble_of


class Limits(BaseModel):
    """What a link is limited to. None: no limit. `withheld`: fields of our listings that the peer does not get.

    `open_requests_at_most`: how many requests of its members may wait for an answer of ours.
    """

    model_config = ConfigDict(extra="forbid")

    share_kinds: list[ListingKind] | None = Field(default=None, max_length=20)
    share_circles: list[UUID] | None = Field(default=None, max_length=200)
    withheld: list[Literal["text", "place", "dates"]] = Field(default=[], max_length=3)
    open_requests_at_most: int | None = Field(default=None, ge=0, le=1000)


class LinkView(BaseModel):
    """A link, for coordinators.

    `waiting`: messages that the peer has not taken yet; `unacknowledged`: those of which it has not said that they are
    applied; `missing`: those of the peer that are asked for again. `copies_there`: what the peer last said that it
    holds of ours; `copies_here`: what we hold of it, last compared with its own list at `compared_at`.
    `erasures_waiting`: people who have left, and of whom the peer has not said that it has forgotten them. `unclaimed`:
    bookings there of people of ours whom we do not know any more, since we were restored from a backup. `dropped`:
    at a hub, messages for this member that were not kept because too much waits for it already. `reason`: a stable word
    for what is wrong; `detail` for those who look into it. `thumbprint`: the peer's, as digits to compare on the
    telephone.
    """

    link_id: UUID
    peer_id: str
    peer_name: str
    peer_summary: str
    peer_web: str
    peer_address: str
    thumbprint: str
    status: Status
    begun_by: str
    confirmed_by: str | None
    created_at: datetime
    since: datetime | None
    last_sent_at: datetime | None
    last_received_at: datetime | None
    waiting: int
    refused: int
    unacknowledged: int
    acknowledged_at: datetime | None
    missing: int
    copies_there: int | None
    copies_here: int
    compared_at: datetime | None
    erasures_waiting: int
    unclaimed: int
    dropped: int
    limits: "Limits"
    reason: str | None
    detail: str | None
    kind: Kind
    hub_link_id: UUID | None
    hub_name: str | None

    @classmethod
    def of(cls, row: sa.RowMapping, *, now: datetime) -> "LinkView":
        return cls(
            link_id=row["id"],
            peer_id=row["peer_id"],
            peer_name=row["peer_name"],
            peer_summary=row["peer_summary"],
            peer_web=row["peer_web"],
            peer_address=row["peer_address"],
            thumbprint=thumbprint_for_people(row["peer_id"]),
            status=row["status"],
            begun_by=row["begun_by_name"],
            confirmed_by=row["confirmed_by_name"],
            created_at=row["created_at"],
            since=row["active_since"],
            last_sent_at=row["last_sent_at"],
            last_received_at=row["last_received_at"],
            waiting=row["waiting"] or 0,
            refused=row["refused"],
            unacknowledged=row["unacknowledged"],
            acknowledged_at=row["acked_at"],
            missing=row["missing"],
            copies_there=row["peer_copies"],
            copies_here=row["copies_here"],
            compared_at=row["vouched_at"],
            erasures_waiting=row["erasures_waiting"],
            unclaimed=row["unclaimed"],
            dropped=row["dropped"],
            limits=Limits.model_validate({name: row[name] for name in Limits.model_fields}),
            reason=trouble_of(row, now=now),
            detail=row["broker_error"] or row["call_error"] or row["shovel_reason"],
            kind=row["kind"],
            hub_link_id=row["via"],
            hub_name=row["hub_name"],
        )


class CallOff(BaseModel):
    """Which bookings of people forgotten are to end: those that somebody has looked at, and nobody recognised."""

    model_config = ConfigDict(extra="forbid")

    booking_ids: list[UUID] = Field(min_length=1, max_length=1000)


class UnclaimedView(BaseModel):
    """A booking at a peer of somebody of ours whom we do not know any more, since we were restored from a backup.

    `start`, `end`: instants, as the peer last said; `confirmed`: whether it had said yes.
    """

    booking_id: UUID
    offer_id: UUID
    start: datetime
    end: datetime
    quantity: int
    confirmed: bool


class PeerView(BaseModel):
    """A linked cooperative, for every member."""

    peer_id: str
    name: str
    web: str


class CodeForm(BaseModel):
    """An invitation code as it was received."""

    model_config = ConfigDict(extra="forbid")

    code: str


class InvitedView(BaseModel):
    """A new invitation. `code` is told this once; `thumbprint` is ours, to be read out on the telephone."""

    id: UUID
    code: str
    expires_at: datetime
    thumbprint: str


class InvitationView(BaseModel):
    """An invitation to link, without its secret."""

    id: UUID
    invited_by: str
    created_at: datetime
    expires_at: datetime
    status: Literal["open", "used", "revoked", "expired"]

    @classmethod
    def of(cls, row: sa.RowMapping, *, now: datetime) -> "InvitationView":
        status: Literal["open", "used", "revoked", "expired"] = "open"
        if row["used_at"] is not None:
            status = "used"
        elif row["revoked_at"] is not None:
            status = "revoked"
        elif row["expires_at"] <= now:
            status = "expired"
        return cls(
            id=row["id"],
            invited_by=row["invited_by_name"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            status=status,
        )


class PreviewView(BaseModel):
    """Whom an invitation code leads to, before anything is sent to them."""

    peer_id: str
    name: str
    summary: str
    web: str
    address: str
    thumbprint: str
    hub: bool


class RefusalView(BaseModel):
    """A message that did not pass the gate. `reason`: a stable word; `detail`: for whoever looks into it."""

    id: UUID
    at: datetime
    reason: str
    detail: str
    seq: int | None

    @classmethod
    def of(cls, row: sa.RowMapping) -> "RefusalView":
        return cls(id=row["id"], at=row["at"], reason=row["reason"], detail=row["detail"], seq=row["seq"])


class NoBody(BaseModel):
    """A request that says nothing but that it is made."""


class KeptInvitation(BaseModel):
    """What is remembered of the answer to an invitation: all but its code, which is derived again."""

    id: UUID
    expires_at: datetime


class ToldView(BaseModel):
    """A thing of ours of which a peer was told, and what is known of its copy there.

    `holds`: it has a copy; `on_the_way`: it was told and has not said that it has it; `to_be_deleted`: withdrawn, and
    it may still hold a copy; `deleted`: it has said that it has none any more.
    """

    id: UUID
    title: str
    copy_state: Literal["holds", "on_the_way", "to_be_deleted", "deleted"]

    @classmethod
    def of(cls, row: sa.RowMapping) -> "ToldView":
        heard = row["acked_to"] >= row["seq"]
        state: Literal["holds", "on_the_way", "to_be_deleted", "deleted"] = "holds" if heard else "on_the_way"
        if row["withdrawn"]:
            state = "deleted" if heard else "to_be_deleted"
        form = row["shared_form"]
        title = row["title"] or (SharedListing.model_validate_json(form).title if form else "")
        return cls(id=row["thing_id"], title=title, copy_state=state)


class SeenView(BaseModel):
    """A listing of ours exactly as the peer is told of it."""

    listing: SharedListing


class BlockView(BaseModel):
    """A cooperative with which no link is made."""

    peer_id: str
    peer_name: str
    blocked_by: str
    at: datetime


class RecoveryView(BaseModel):
    """Whether we come back from a backup. `begun_by`: the peer who noticed, or who declared it."""

    recovering: bool
    begun_at: datetime | None = None
    begun_by: str | None = None
    waiting_for: list[str] = []


class KeyView(BaseModel):
    """A key that signs what we say to peers. `signs_from`: when its turn came or comes."""

    kid: str
    announced_at: datetime
    signs_from: datetime
    revoked_at: datetime | None
    signs: bool

    @classmethod
    def of(cls, row: sa.RowMapping, *, signing: str) -> "KeyView":
        return cls(**dict(row), signs=row["kid"] == signing)

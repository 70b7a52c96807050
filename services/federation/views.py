"""What the API answers about links, invitations and refusals."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from services.federation.domain import Status
from services.federation.keys import thumbprint_for_people
from services.federation.queries import trouble_of


class LinkView(BaseModel):
    """A link, for coordinators.

    `waiting`: messages that the peer has not taken yet. `reason`: a stable word for what is wrong; `detail` for those
    who look into it. `thumbprint`: the peer's, as digits to compare on the telephone.
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
    reason: str | None
    detail: str | None

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
            reason=trouble_of(row, now=now),
            detail=row["broker_error"] or row["call_error"] or row["shovel_reason"],
        )


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

"""Invitations to link: made, listed, revoked, and used once."""

import base64
import hmac
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.problems import NotFound
from services.federation.documents import InvitationCode
from services.federation.domain import (
    INVITATION_LIFETIME,
    InvitationOver,
    check_invitation_counts,
    encode_code,
    hash_secret,
)
from services.federation.keys import Keys
from services.federation.own_tables import invitations


async def invite(session: AsyncSession, keys: Keys, *, by: Actor, now: datetime) -> sa.RowMapping:
    """A new invitation; `code_of` tells its code. `now`: aware UTC."""
    invitation_id = new_id()
    statement = sa.insert(invitations).values(
        id=invitation_id,
        secret_hash=hash_secret(_secret(invitation_id, keys)),
        invited_by=by.id,
        invited_by_name=by.name,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    return (await session.execute(statement.returning(*invitations.c))).mappings().one()


def code_of(invitation_id: UUID, keys: Keys, *, address: str, expires_at: datetime) -> str:
    """The code to be passed on. `address`: ours."""
    code = InvitationCode(a=address, t=keys.instance_id, s=_secret(invitation_id, keys), e=expires_at)
    return encode_code(code)


def _secret(invitation_id: UUID, keys: Keys) -> str:
    """Derived from our root key, so that it is kept nowhere and can be told again to whoever made the invitation."""
    digest = hmac.digest(keys.invitation_secret, invitation_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def revoke(session: AsyncSession, invitation_id: UUID, *, now: datetime) -> None:
    """Raises NotFound, or InvitationOver when it was used (end the link instead)."""
    row = (
        await session.execute(sa.select(invitations).where(invitations.c.id == invitation_id).with_for_update())
    ).first()
    if row is None:
        raise NotFound
    if row.used_at is not None:
        raise InvitationOver
    await session.execute(
        sa.update(invitations)
        .where(invitations.c.id == invitation_id, invitations.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def use(session: AsyncSession, secret: str, *, peer_id: str, link_id: UUID, now: datetime) -> sa.RowMapping:
    """Use up the invitation behind `secret` for `peer_id`; `link_id`: the link that it makes, if it makes one now.

    Returns the invitation as it was before, locked. Raises InvitationOver.
    """
    query = sa.select(invitations).where(invitations.c.secret_hash == hash_secret(secret)).with_for_update()
    row = (await session.execute(query)).mappings().first()
    if row is None:
        raise InvitationOver
    check_invitation_counts(
        expires_at=row["expires_at"], revoked_at=row["revoked_at"], used_by=row["used_by"], peer_id=peer_id, now=now
    )
    if row["used_at"] is None:
        await session.execute(
            sa.update(invitations)
            .where(invitations.c.id == row["id"])
            .values(used_at=now, used_by=peer_id, link_id=link_id)
        )
    return row

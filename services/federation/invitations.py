"""Invitations to link: made, listed, revoked, and used once."""

import secrets
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
from services.federation.tables import invitations


async def invite(
    session: AsyncSession, *, by: Actor, address: str, instance_id: str, now: datetime
) -> tuple[sa.RowMapping, str]:
    """A new invitation and its code, which is told once and not kept. `address`: ours; `now`: aware UTC."""
    secret = secrets.token_urlsafe(32)
    expires_at = now + INVITATION_LIFETIME
    statement = sa.insert(invitations).values(
        id=new_id(),
        secret_hash=hash_secret(secret),
        invited_by=by.id,
        invited_by_name=by.name,
        created_at=now,
        expires_at=expires_at,
    )
    row = (await session.execute(statement.returning(*invitations.c))).mappings().one()
    return row, encode_code(InvitationCode(a=address, t=instance_id, s=secret, e=expires_at))


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

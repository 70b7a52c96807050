"""What invites people and takes them in."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale, MemberInvited, Role
from services.chassis import audit, outbox
from services.chassis.ids import new_id
from services.chassis.problems import NotFound
from services.identity import limits
from services.identity.commands.cooperative import the_cooperative
from services.identity.domain.addresses import EmailAddress
from services.identity.domain.invitations import VALID, AlreadyMember, Invitation, LinkNotValid
from services.identity.domain.members import Member, check_may_invite
from services.identity.opaque import digest, new_secret
from services.identity.tables import invitation, member


async def invite(
    session: AsyncSession,
    address: EmailAddress,
    *,
    name: str | None,
    role: Role,
    by: Member,
    public_url: str,
    now: datetime,
) -> Invitation:
    """Mail somebody a link; an earlier invitation that still waits is replaced.

    Raises NotAllowed, TooOften, AlreadyMember.
    """
    check_may_invite(by, role)
    await limits.count_try(session, limits.INVITATIONS_PER_MEMBER, str(by.id), now=now)
    if (await session.execute(sa.select(member.c.id).where(member.c.email_key == address.key))).first():
        raise AlreadyMember
    waiting = sa.and_(
        invitation.c.email_key == address.key, invitation.c.accepted_at.is_(None), invitation.c.revoked_at.is_(None)
    )
    await session.execute(sa.update(invitation).where(waiting).values(revoked_at=now))
    token = new_secret()
    made = Invitation(
        id=new_id(),
        email=address.text,
        email_key=address.key,
        name=name,
        role=role,
        invited_by=by.id,
        token_hash=digest(token),
        created_at=now,
        expires_at=now + VALID,
    )
    session.add(made)
    audit.note(role=role)
    await outbox.add(session, await _letter(session, made, link=f"{public_url}/account/join/{token}", by=by))
    return made


async def revoke(session: AsyncSession, invitation_id: UUID, *, by: Member, now: datetime) -> None:
    """Take an invitation back. Raises NotFound, NotAllowed, InvitationIsOver."""
    found = await session.get(Invitation, invitation_id, with_for_update=True)
    if found is None:
        raise NotFound
    check_may_invite(by, found.role)
    found.revoke(now)


async def by_token(session: AsyncSession, token: str, *, now: datetime, lock: bool = False) -> Invitation:
    """The pending invitation behind a link. Raises LinkNotValid."""
    query = sa.select(Invitation).where(invitation.c.token_hash == digest(token))
    found = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if found is None:
        raise LinkNotValid
    found.check_pending(now)
    return found


async def accept(
    session: AsyncSession, token: str, *, name: str, password_hash: str, locale: Locale, now: datetime
) -> Member:
    """Become a member. Raises LinkNotValid, AlreadyMember."""
    found = await by_token(session, token, now=now, lock=True)
    found.accept(now)
    joined = Member(
        id=new_id(),
        name=name,
        email=found.email,
        email_key=found.email_key,
        password_hash=password_hash,
        role=found.role,
        locale=locale,
        joined_at=now,
    )
    session.add(joined)
    try:
        await session.flush()
    except IntegrityError as error:
        raise AlreadyMember from error
    await outbox.add(session, *joined.state())
    return joined


async def _letter(session: AsyncSession, made: Invitation, *, link: str, by: Member) -> MemberInvited:
    cooperative = await the_cooperative(session)
    return MemberInvited(
        request_id=made.id,
        email=made.email,
        name=made.name or "",
        locale=cooperative.locale,
        link=link,
        expires_at=made.expires_at,
        inviter_name=by.name,
        cooperative_name=cooperative.name,
    )

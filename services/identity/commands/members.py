"""What changes members."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale, Role
from services.chassis import audit, outbox
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed, NotFound, NotSignedIn
from services.identity.commands import circles
from services.identity.domain.members import Member
from services.identity.tables import (
    idempotency,
    invitation,
    mailed_link,
    member,
    personal_token,
    recovery_code,
    second_factor,
    second_step,
    signed_in,
)


async def acting(session: AsyncSession, actor: Actor) -> Member:
    """The person behind `actor` as they are now: a token may be five minutes old. Raises NotSignedIn.

    A token that says less than their role (of a script, or before the second factor that the role asks for) counts.
    """
    found = await session.get(Member, actor.id)
    if found is None or not found.is_active:
        raise NotSignedIn
    found.acts_simply = actor.role == "member"
    return found


async def check_is_administrator(session: AsyncSession, actor: Actor) -> None:
    """Raises NotAllowed, NotSignedIn."""
    if (await acting(session, actor)).acting_role != "administrator":
        raise NotAllowed


async def check_is_coordinator(session: AsyncSession, actor: Actor) -> None:
    """Raises NotAllowed, NotSignedIn."""
    if not (await acting(session, actor)).is_coordinator:
        raise NotAllowed


def check_is_other(found: Member, decider: Member) -> None:
    """Raises NotAllowed where somebody decides for themselves what another must."""
    if found.id == decider.id:
        raise NotAllowed


async def lock(session: AsyncSession, member_id: UUID) -> Member:
    """The member, theirs alone until the transaction ends. Raises NotFound."""
    found = await session.get(Member, member_id, with_for_update=True)
    if found is None:
        raise NotFound
    return found


async def introduce(session: AsyncSession, actor: Actor, *, name: str | None, locale: Locale | None) -> Member:
    """Change one's own name or language. Raises NotSignedIn."""
    found = await acting(session, actor)
    await session.refresh(found, with_for_update=True)
    await outbox.add(session, *found.introduce(name=name, locale=locale))
    return found


async def give_role(session: AsyncSession, member_id: UUID, role: Role | None, *, by: Actor, now: datetime) -> Member:
    """Who gets another role signs in again. Raises NotFound, NotAllowed, HasLeft, LastAdministrator."""
    administrators = await _lock_administrators(session)
    giver = await acting(session, by)
    found = await lock(session, member_id)
    before = found.role
    events = found.take_role(role or found.role, by=giver, administrators=administrators)
    if events:
        found.role_since = now
        await end_sessions(session, found.id)
        audit.note(role=found.role, before=before)
    await outbox.add(session, *events)
    return found


async def leave(session: AsyncSession, member_id: UUID, *, by: Actor, now: datetime) -> Member:
    """End a membership: nothing but an id is left of it. Raises NotFound, NotAllowed, LastAdministrator."""
    administrators = await _lock_administrators(session)
    decider = await acting(session, by)
    found = await lock(session, member_id)
    address, written = found.email_key, found.email or ""
    events = found.leave(by=decider, administrators=administrators, now=now)
    await forget_secrets(session, found.id)
    await session.execute(sa.delete(invitation).where(invitation.c.email_key == address))
    told = idempotency.c.answer.contains(written, autoescape=True)  # of whoever invited them
    await session.execute(sa.delete(idempotency).where(sa.or_(idempotency.c.member_id == found.id, told)))
    for table in (recovery_code, second_factor):
        await session.execute(sa.delete(table).where(table.c.member_id == found.id))
    events += await circles.leave_all(session, found)
    await outbox.add(session, *events)
    return found


async def sign_out(session: AsyncSession, member_id: UUID, *, by: Actor) -> Member:
    """Close whatever somebody is in by: sessions, tokens for scripts, mailed links; for an account in wrong hands.

    Their password stays. Raises NotFound, NotAllowed.
    """
    decider = await acting(session, by)
    found = await lock(session, member_id)
    found.check_is_below(decider)
    await forget_secrets(session, found.id)
    return found


async def forget_secrets(session: AsyncSession, member_id: UUID) -> None:
    """End every session of a member, their tokens for scripts, and every link that was mailed to them."""
    await end_sessions(session, member_id)
    await session.execute(sa.delete(personal_token).where(personal_token.c.member_id == member_id))
    await session.execute(sa.delete(mailed_link).where(mailed_link.c.member_id == member_id))


async def end_sessions(session: AsyncSession, member_id: UUID) -> None:
    """Sign a member out everywhere, also where the second step is still to come."""
    await session.execute(sa.delete(second_step).where(second_step.c.member_id == member_id))
    await session.execute(sa.delete(signed_in).where(signed_in.c.member_id == member_id))


async def _lock_administrators(session: AsyncSession) -> int:
    """How many active administrators there are; none comes or goes before the transaction ends."""
    active = sa.and_(member.c.role == "administrator", member.c.status == "active")
    rows = await session.execute(sa.select(member.c.id).where(active).order_by(member.c.id).with_for_update())
    return len(rows.all())

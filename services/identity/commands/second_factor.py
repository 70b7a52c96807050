"""What sets up, asks for and takes away the second factor."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import outbox
from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.sealing import Sealer
from services.identity import limits
from services.identity.commands import members
from services.identity.domain.members import Member
from services.identity.domain.second_factor import (
    BETWEEN_STEPS,
    PENDING_FOR,
    Key,
    Proof,
    SecondFactorIsOff,
    SecondFactorIsOn,
    StepEnded,
    beginning,
    is_recovery_code,
    plain,
    wrong_code,
)
from services.identity.opaque import digest, new_secret
from services.identity.tables import recovery_code, second_factor, second_step


async def start(session: AsyncSession, owner: Member, *, sealer: Sealer, now: datetime) -> Key:
    """A new key that waits for its first code; one that waited is forgotten. Raises SecondFactorIsOn."""
    if owner.second_factor_since is not None:
        raise SecondFactorIsOn
    key = Key.new()
    row = {"sealed_key": sealer.seal(owner.id, key.text), "started_at": now, "confirmed_at": None, "last_step": 0}
    kept = insert(second_factor).values(member_id=owner.id, **row)
    await session.execute(kept.on_conflict_do_update(index_elements=[second_factor.c.member_id], set_=row))
    return key


async def confirm(
    session: AsyncSession, owner_id: UUID, proof: Proof, *, hashes: dict[str, str], sealer: Sealer
) -> Member:
    """The first code came: from now on one is asked for. Every session and half-made sign-in of the owner ends.

    `hashes`: of the new recovery codes, by how each begins. Raises SecondFactorIsOn, SecondFactorIsOff when no key
    waits, InvalidFields for a wrong code.
    """
    owner = await members.lock(session, owner_id)
    if owner.second_factor_since is not None:
        raise SecondFactorIsOn
    waits = sa.and_(second_factor.c.member_id == owner.id, second_factor.c.started_at > proof.at - PENDING_FOR)
    row = (await session.execute(sa.select(second_factor).where(waits).with_for_update())).one_or_none()
    if row is None:
        raise SecondFactorIsOff
    await _take_step(session, row, proof, sealer=sealer)
    await _forgive(session, proof)
    mine = second_factor.c.member_id == owner.id
    await session.execute(sa.update(second_factor).where(mine).values(confirmed_at=proof.at))
    owner.second_factor_since = proof.at
    await keep_recovery_codes(session, owner.id, hashes)
    await members.end_sessions(session, owner.id)
    await outbox.add(session, *owner.access_changed("second-factor-on"))
    return owner


async def keep_recovery_codes(session: AsyncSession, owner_id: UUID, hashes: dict[str, str]) -> None:
    """Keep these instead of those before."""
    await session.execute(sa.delete(recovery_code).where(recovery_code.c.member_id == owner_id))
    rows = [
        {"id": new_id(), "member_id": owner_id, "begins": begins, "code_hash": kept} for begins, kept in hashes.items()
    ]
    await session.execute(sa.insert(recovery_code).values(rows))


async def renew_recovery_codes(session: AsyncSession, owner: Member, hashes: dict[str, str]) -> None:
    """The same, and the owner is told."""
    await keep_recovery_codes(session, owner.id, hashes)
    await outbox.add(session, *owner.access_changed("recovery-codes-renewed"))


async def recovery_codes_left(session: AsyncSession, owner: Member) -> int:
    """How many of them were not used."""
    mine = sa.select(sa.func.count()).select_from(recovery_code).where(recovery_code.c.member_id == owner.id)
    return (await session.execute(mine)).scalar_one()


def _tries_of(member_id: UUID, *, in_session: bool) -> str:
    """The key of their limits: whoever has a password and tries codes at sign-in uses up none of the owner's inside."""
    return f"{member_id} in a session" if in_session else str(member_id)


async def count(
    session: AsyncSession, member_id: UUID, code: str, *, in_session: bool, now: datetime
) -> tuple[UUID, ...]:
    """Count a plain code that is given for this account. Raises TooManyTries."""
    account = _tries_of(member_id, in_session=in_session)
    if is_recovery_code(code):
        return (await limits.count_try(session, limits.RECOVERY_PER_ACCOUNT, account, now=now),)
    soon = await limits.count_try(session, limits.CODE_PER_ACCOUNT, account, now=now)
    return soon, await limits.count_try(session, limits.CODE_PER_DAY, account, now=now)


async def warn(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """Tell the owner, once a day, that somebody with the password tries codes."""
    try:
        await limits.count_try(session, limits.CODE_WARNINGS, str(member_id), now=now)
    except limits.TooManyTries:
        return
    owner = await session.get(Member, member_id)
    if owner is not None:
        await outbox.add(session, *owner.access_changed("many-wrong-codes"))


async def recovery_hash(session: AsyncSession, member_id: UUID, code: str) -> tuple[UUID | None, str | None]:
    """The recovery code that begins like this one, and its hash; None when there is none."""
    query = sa.select(recovery_code.c.id, recovery_code.c.code_hash).where(
        recovery_code.c.member_id == member_id, recovery_code.c.begins == beginning(plain(code))
    )
    row = (await session.execute(query)).one_or_none()
    return (row.id, row.code_hash) if row else (None, None)


async def take(session: AsyncSession, owner: Member, proof: Proof, *, sealer: Sealer) -> None:
    """Take a code, which then is used. Raises InvalidFields for a wrong or used one."""
    if is_recovery_code(proof.code):
        used = sa.delete(recovery_code).where(
            recovery_code.c.id == proof.recovery_id, recovery_code.c.member_id == owner.id
        )
        if (await session.execute(used.returning(recovery_code.c.id))).first() is None:
            raise wrong_code()
        await outbox.add(session, *owner.access_changed("recovery-code-used"))
    else:
        mine = sa.and_(second_factor.c.member_id == owner.id, second_factor.c.confirmed_at.is_not(None))
        row = (await session.execute(sa.select(second_factor).where(mine).with_for_update())).one_or_none()
        if row is None:
            raise wrong_code()
        await _take_step(session, row, proof, sealer=sealer)
    await _forgive(session, proof)


async def _take_step(session: AsyncSession, row: sa.Row[tuple[object, ...]], proof: Proof, *, sealer: Sealer) -> None:
    member_id: UUID = row.member_id
    key = Key.read(sealer.open(member_id, row.sealed_key))
    step = key.step_of(proof.code, now=proof.at, after=row.last_step)
    if step is None:
        raise wrong_code()
    mine = second_factor.c.member_id == member_id
    await session.execute(sa.update(second_factor).where(mine).values(last_step=step))


async def _forgive(session: AsyncSession, proof: Proof) -> None:
    account = _tries_of(proof.member_id, in_session=proof.in_session)
    for try_id in proof.try_ids:
        await limits.forgive(session, try_id=try_id, limit=limits.CODE_PER_ACCOUNT, key=account)


async def remove(session: AsyncSession, owner: Member) -> None:
    """Take the second factor of `owner` away, whose password and code were right. Ends every session."""
    await forget(session, owner.id)
    owner.second_factor_since = None
    await members.end_sessions(session, owner.id)
    await outbox.add(session, *owner.access_changed("second-factor-off"))


async def reset(session: AsyncSession, member_id: UUID, *, by: Actor) -> Member:
    """Take it away from somebody who has lost app and codes; they are told.

    Nobody does so for themselves: that needs a code. Raises NotFound, NotAllowed, SecondFactorIsOff.
    """
    decider = await members.acting(session, by)
    found = await members.lock(session, member_id)
    found.check_is_below(decider)
    members.check_is_other(found, decider)
    if found.second_factor_since is None:
        raise SecondFactorIsOff
    await forget(session, found.id)
    found.second_factor_since = None
    await members.end_sessions(session, found.id)
    await outbox.add(session, *found.access_changed("second-factor-reset"))
    return found


async def forget(session: AsyncSession, member_id: UUID) -> None:
    """Delete the key and the recovery codes."""
    await session.execute(sa.delete(recovery_code).where(recovery_code.c.member_id == member_id))
    await session.execute(sa.delete(second_factor).where(second_factor.c.member_id == member_id))


async def open_step(session: AsyncSession, member_id: UUID, *, device: str, now: datetime) -> tuple[str, datetime]:
    """The password was right: a secret with which the code may follow, and until when."""
    secret, expires_at = new_secret(), now + BETWEEN_STEPS
    row = {"secret_hash": digest(secret), "member_id": member_id, "device": device, "expires_at": expires_at}
    await session.execute(sa.insert(second_step).values(row))
    return secret, expires_at


async def owner_of_step(session: AsyncSession, secret: str, *, now: datetime) -> UUID:
    """Whose sign-in waits for a code. Raises StepEnded."""
    waits = sa.and_(second_step.c.secret_hash == digest(secret), second_step.c.expires_at > now)
    found = (await session.execute(sa.select(second_step.c.member_id).where(waits))).scalar_one_or_none()
    if found is None:
        raise StepEnded
    return found


async def end_step(session: AsyncSession, secret: str, proof: Proof, *, sealer: Sealer) -> tuple[Member, str]:
    """The code came: who signs in, and at which device. Raises StepEnded, InvalidFields for a wrong code."""
    used = sa.delete(second_step).where(
        second_step.c.secret_hash == digest(secret), second_step.c.expires_at > proof.at
    )
    row = (await session.execute(used.returning(second_step.c.member_id, second_step.c.device))).one_or_none()
    if row is None or row.member_id != proof.member_id:
        raise StepEnded
    owner = await members.lock(session, row.member_id)
    if not owner.is_active or owner.second_factor_since is None:
        raise StepEnded
    await take(session, owner, proof, sealer=sealer)
    return owner, row.device

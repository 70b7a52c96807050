"""Signing in and out. A session is an opaque secret that its owner keeps; we keep its SHA-256."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.ids import new_id
from services.chassis.problems import NotFound, Problem, Text
from services.identity import limits
from services.identity.domain.members import Member
from services.identity.opaque import digest, new_secret
from services.identity.tables import member, signed_in


@dataclass(frozen=True, kw_only=True)
class Lasting:
    """A session ends when it was not used for `idle`, and in any case after `whole`."""

    idle: timedelta
    whole: timedelta


MEMBERS = Lasting(idle=timedelta(days=30), whole=timedelta(days=90))
WITH_A_ROLE = Lasting(idle=timedelta(days=3), whole=timedelta(days=30))
"""For those whose account opens other people's data: away for a long weekend, they sign in again."""

MOST_SESSIONS = 50
"""Of one member at a time: more than anybody has browsers, and no reason to keep rows without end."""
_REMEMBERED_EVERY = timedelta(minutes=1)


class WrongCredentials(Problem):
    """The address or the password is wrong; which of them is not said."""

    status = 401
    slug = "identity/wrong-credentials"
    text = Text(
        fr="L'adresse ou le mot de passe ne correspond pas. Vérifiez-les, ou demandez un nouveau mot de passe.",
        en="The address or the password does not match. Check them, or ask for a new password.",
        nl="Het adres of het wachtwoord klopt niet. Controleer ze, of vraag een nieuw wachtwoord aan.",
    )


class SessionEnded(Problem):
    """The session is unknown, signed out or too long unused."""

    status = 401
    slug = "identity/session-ended"
    text = Text(
        fr="Votre session est terminée. Connectez-vous à nouveau.",
        en="Your session has ended. Please sign in again.",
        nl="Uw sessie is beëindigd. Meld u opnieuw aan.",
    )


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A counted try to give the password of an account. `password_hash` is None when there is no such account.

    `counted_as`: the key of its limit.
    """

    try_id: UUID
    counted_as: str
    member_id: UUID | None
    password_hash: str | None


async def begin(session: AsyncSession, account: str, *, address: str, now: datetime) -> Attempt:
    """Count a try for `account` (an address as it is compared) from the network `address`. Raises TooManyTries.

    Where the account's owner is signed in already, tries are counted apart: nobody shuts them out from elsewhere.
    """
    here = sa.exists().where(signed_in.c.member_id == member.c.id, signed_in.c.network_hash == limits.hashed(address))
    query = sa.select(member.c.id, member.c.password_hash, here.label("known")).where(member.c.email_key == account)
    row = (await session.execute(query)).one_or_none()
    member_id, kept = (row.id, row.password_hash) if row else (None, None)
    counted_as = f"{account} at {address}" if row is not None and row.known else account
    await limits.count_try(session, limits.PASSWORD_PER_ACCOUNT, counted_as, now=now)
    try_id = await limits.count_try(session, limits.PASSWORD_PER_ADDRESS, address, now=now)
    return Attempt(try_id=try_id, counted_as=counted_as, member_id=member_id, password_hash=kept)


async def succeed(session: AsyncSession, attempt: Attempt, *, new_hash: str | None = None) -> Member:
    """The password was right: forgive the tries, keep `new_hash` if given. Raises WrongCredentials.

    The account may have changed while the password was being checked: then it was the wrong one.
    """
    if attempt.member_id is None:
        raise WrongCredentials
    found = await session.get(Member, attempt.member_id, with_for_update=True)
    if found is None or not found.is_active or found.password_hash != attempt.password_hash:
        raise WrongCredentials
    await limits.forgive(session, try_id=attempt.try_id, limit=limits.PASSWORD_PER_ACCOUNT, key=attempt.counted_as)
    found.password_hash = new_hash or found.password_hash
    return found


async def open_session(
    session: AsyncSession, member_id: UUID, *, device: str, now: datetime, network: str | None = None
) -> str:
    """Sign a member in at `device` (browser and system). Returns the session's secret, which is told once.

    Beyond `MOST_SESSIONS`, the one that was not used for longest ends.
    """
    secret = new_secret()
    row = {
        "id": new_id(),
        "secret_hash": digest(secret),
        "member_id": member_id,
        "device": device,
        "since": now,
        "last_used_at": now,
        "network_hash": limits.hashed(network) if network is not None else None,
    }
    await session.execute(sa.insert(signed_in).values(row))
    theirs = sa.select(signed_in.c.id).where(signed_in.c.member_id == member_id)
    too_many = theirs.order_by(signed_in.c.last_used_at.desc(), signed_in.c.id.desc()).offset(MOST_SESSIONS)
    await session.execute(sa.delete(signed_in).where(signed_in.c.id.in_(too_many)))
    return secret


async def resume(session: AsyncSession, secret: str, *, now: datetime) -> Member:
    """The member whose session this is; using it keeps it alive. Raises SessionEnded."""
    query = (
        sa.select(Member, signed_in.c.last_used_at, signed_in.c.since)
        .join(signed_in, signed_in.c.member_id == member.c.id)
        .where(signed_in.c.secret_hash == digest(secret))
    )
    row = (await session.execute(query)).one_or_none()
    if row is None or _is_over(row[0], last_used_at=row.last_used_at, since=row.since, now=now):
        raise SessionEnded
    if now - row.last_used_at > _REMEMBERED_EVERY:
        mine = signed_in.c.secret_hash == digest(secret)
        await session.execute(sa.update(signed_in).where(mine).values(last_used_at=now))
    return row[0]


def _is_over(owner: Member, *, last_used_at: datetime, since: datetime, now: datetime) -> bool:
    lasting = WITH_A_ROLE if owner.is_coordinator else MEMBERS
    return now - last_used_at >= lasting.idle or now - since >= lasting.whole


async def theirs(session: AsyncSession, owner: Member, *, now: datetime) -> list[sa.RowMapping]:
    """The sessions of `owner` that go on, the last used first."""
    query = sa.select(signed_in).where(signed_in.c.member_id == owner.id).order_by(signed_in.c.last_used_at.desc())
    rows = (await session.execute(query)).mappings().all()
    return [row for row in rows if not _is_over(owner, last_used_at=row["last_used_at"], since=row["since"], now=now)]


async def end_one(session: AsyncSession, owner: Member, session_id: UUID) -> None:
    """End one session of `owner`. Raises NotFound for what is not theirs."""
    mine = sa.and_(signed_in.c.id == session_id, signed_in.c.member_id == owner.id)
    if (await session.execute(sa.delete(signed_in).where(mine).returning(signed_in.c.id))).first() is None:
        raise NotFound


async def end_others(session: AsyncSession, owner: Member, *, but: str) -> None:
    """End every session of `owner` but the one whose secret is `but`."""
    others = sa.and_(signed_in.c.member_id == owner.id, signed_in.c.secret_hash != digest(but))
    await session.execute(sa.delete(signed_in).where(others))


async def end(session: AsyncSession, secret: str) -> None:
    """Sign out. An unknown session is as ended as it can be."""
    await session.execute(sa.delete(signed_in).where(signed_in.c.secret_hash == digest(secret)))

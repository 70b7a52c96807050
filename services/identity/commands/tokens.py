"""Members' tokens for scripts: made once, told once, kept as a hash, with scopes and an end."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import outbox
from services.chassis.ids import new_id
from services.chassis.problems import NotFound, Problem, Text
from services.identity.domain.members import Member
from services.identity.domain.scopes import PREFIX, with_reading
from services.identity.opaque import digest, new_secret
from services.identity.tables import member, personal_token

MOST = 20
_REMEMBERED_EVERY = timedelta(minutes=1)


class TooManyTokens(Problem):
    """A member has twenty tokens at the most."""

    status = 409
    slug = "identity/too-many-tokens"
    text = Text(
        fr="Vous avez déjà {most} jetons. Supprimez d'abord ceux qui ne servent plus.",
        en="You have {most} tokens already. Delete those that you no longer use first.",
        nl="U hebt al {most} tokens. Verwijder eerst die welke u niet meer gebruikt.",
    )


class TokenEnded(Problem):
    """The token is unknown, was deleted or has ended."""

    status = 401
    slug = "identity/token-ended"
    text = Text(
        fr="Ce jeton est inconnu, supprimé ou expiré.",
        en="This token is unknown, deleted or expired.",
        nl="Dit token is onbekend, verwijderd of verlopen.",
    )


async def make(
    session: AsyncSession, owner: Member, *, name: str, scopes: set[str], days: int, now: datetime
) -> tuple[sa.RowMapping, str]:
    """A token of `owner` for `days`, and its secret, which is told once. Raises TooManyTokens."""
    mine = personal_token.c.member_id == owner.id
    count = sa.select(sa.func.count()).select_from(personal_token).where(mine, personal_token.c.expires_at > now)
    if (await session.execute(count)).scalar_one() >= MOST:
        raise TooManyTokens(most=MOST)
    secret = PREFIX + new_secret()
    row = {
        "id": new_id(),
        "secret_hash": digest(secret),
        "member_id": owner.id,
        "name": name,
        "scopes": sorted(with_reading(scopes)),
        "created_at": now,
        "expires_at": now + timedelta(days=days),
    }
    kept = await session.execute(sa.insert(personal_token).values(row).returning(personal_token))
    await outbox.add(session, *owner.access_changed("token-made"))
    return kept.mappings().one(), secret


async def theirs(session: AsyncSession, owner: Member, *, now: datetime) -> list[sa.RowMapping]:
    """The tokens of `owner` that are valid, newest first."""
    query = sa.select(personal_token).where(personal_token.c.member_id == owner.id, personal_token.c.expires_at > now)
    return list((await session.execute(query.order_by(personal_token.c.id.desc()))).mappings().all())


async def revoke(session: AsyncSession, owner: Member, token_id: UUID) -> None:
    """Delete a token. Raises NotFound for what is not theirs."""
    mine = sa.and_(personal_token.c.id == token_id, personal_token.c.member_id == owner.id)
    gone = sa.delete(personal_token).where(mine).returning(personal_token.c.id)
    if (await session.execute(gone)).first() is None:
        raise NotFound


async def resume(session: AsyncSession, secret: str, *, now: datetime) -> tuple[Member, frozenset[str]]:
    """Whose token this is and what it may do; remembers that it was used. Raises TokenEnded."""
    query = (
        sa.select(Member, personal_token.c.id.label("token_id"), personal_token.c.scopes, personal_token.c.last_used_at)
        .join(personal_token, personal_token.c.member_id == member.c.id)
        .where(personal_token.c.secret_hash == digest(secret), personal_token.c.expires_at > now)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None or not row[0].is_active:
        raise TokenEnded
    if row.last_used_at is None or now - row.last_used_at > _REMEMBERED_EVERY:
        mine = personal_token.c.id == row.token_id
        await session.execute(sa.update(personal_token).where(mine).values(last_used_at=now))
    return row[0], frozenset(row.scopes)

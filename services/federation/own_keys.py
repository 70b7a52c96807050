"""Which of our keys signs: a new one is announced under the old, signs a day later, and a stolen one stops at once."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import KeysChanged
from services.chassis.database import Database
from services.chassis.problems import NotFound
from services.federation.border import Border, key_set_for
from services.federation.domain import RELATIONS, SPEAKING, NoOtherKey
from services.federation.keys import Keys
from services.federation.mending_tables import own_keys, revocations
from services.federation.saying import say
from services.federation.tables import links, streams

OVERLAP = timedelta(days=1)
"""From the announcement of a key until it signs: peers fetch key sets every day, and hear of this one at once."""


async def keep(db: Database, border: Border, *, now: datetime) -> None:
    """Announce keys that are new, and sign with the one whose turn it is."""
    await db.run(_announce_new, border.keys, now=now)
    async with db.reading() as session:
        kid = await _signer(session, border.keys, now)
    if kid != border.keys.signing_kid:
        border.keys = border.keys.signing_with(kid)


async def _announce_new(session: AsyncSession, keys: Keys, *, now: datetime) -> None:
    first = (await session.execute(sa.select(sa.func.count()).select_from(own_keys))).scalar_one() == 0
    news = False
    for key in (keys.signing, *keys.others):
        kid = key.thumbprint()
        since = now if first and kid == keys.signing_kid else now + OVERLAP
        row = insert(own_keys).values(kid=kid, announced_at=now, signs_from=since).on_conflict_do_nothing()
        news |= (await session.execute(row.returning(own_keys.c.kid))).first() is not None
    if news and not first:
        await tell(session, keys, now=now)


async def _signer(session: AsyncSession, keys: Keys, now: datetime) -> str:
    query = sa.select(own_keys.c.kid).where(own_keys.c.revoked_at.is_(None), own_keys.c.signs_from <= now)
    turns = (await session.execute(query.order_by(own_keys.c.signs_from.desc(), own_keys.c.kid))).scalars().all()
    return next((kid for kid in turns if keys.known(kid)), keys.signing_kid)


async def tell(session: AsyncSession, keys: Keys, *, now: datetime) -> None:
    """Say our key set to every peer, with what it needs to know of revoked keys."""
    living = sa.and_(links.c.status.in_(SPEAKING), links.c.kind.in_(RELATIONS))
    query = sa.select(links).where(living).order_by(links.c.id).with_for_update(read=True)
    for link in (await session.execute(query)).mappings().all():
        await say(session, link, KeysChanged(key_set=await key_set_for(session, keys, link["id"], now=now)))


async def revoke(session: AsyncSession, border: Border, kid: str, *, now: datetime) -> Keys:
    """A private key is in the wrong hands: what comes after what we have said with it counts for nobody.

    Returns the keys with the one that signs from now on. Raises NotFound, NoOtherKey.
    """
    if border.keys.known(kid) is None:
        raise NotFound
    await session.execute(sa.update(own_keys).where(own_keys.c.kid == kid).values(revoked_at=now))
    query = sa.select(own_keys.c.kid).where(own_keys.c.revoked_at.is_(None)).order_by(own_keys.c.announced_at)
    left = [one for one in (await session.execute(query)).scalars().all() if border.keys.known(one)]
    if not left:
        raise NoOtherKey
    signer = border.keys.signing_kid if border.keys.signing_kid != kid else left[0]
    await session.execute(sa.update(own_keys).where(own_keys.c.kid == signer).values(signs_from=now))
    said = sa.select(sa.literal(kid), streams.c.link_id, streams.c.epoch, streams.c.seq + 1).with_for_update()
    rows = insert(revocations).from_select(["kid", "link_id", "epoch", "seq"], said)
    await session.execute(rows.on_conflict_do_nothing())
    keys = border.keys.signing_with(signer)
    await tell(session, keys, now=now)
    return keys


async def listed(session: AsyncSession) -> list[sa.RowMapping]:
    """Our signing keys, the newest first."""
    query = sa.select(own_keys).order_by(own_keys.c.announced_at.desc(), own_keys.c.kid)
    return list((await session.execute(query)).mappings().all())

"""A member has left: every peer that knows a pseudonym of theirs forgets it, and acknowledges that by its receipt."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import PersonErased
from services.federation.domain import PEERS, SPEAKING
from services.federation.mending_tables import erasures
from services.federation.saying import say
from services.federation.tables import links, pseudonyms, streams


async def erase(session: AsyncSession, member_id: UUID) -> None:
    """Tell the peers, and forget here who was behind the pseudonyms."""
    gone = sa.delete(pseudonyms).where(pseudonyms.c.member_id == member_id)
    for row in (await session.execute(gone.returning(pseudonyms.c.peer_id, pseudonyms.c.pseudonym))).all():
        query = sa.select(links).where(
            links.c.peer_id == row.peer_id, links.c.status.in_(SPEAKING), links.c.kind.in_(PEERS)
        )
        link = (await session.execute(query.with_for_update(read=True))).mappings().first()
        if link is not None:
            await _tell(session, link, row.pseudonym)


async def tell_again(session: AsyncSession, link: sa.RowMapping) -> None:
    """In a new epoch: what the peer has not acknowledged in the last one."""
    query = sa.select(erasures.c.pseudonym).where(erasures.c.link_id == link["id"], erasures.c.acked_at.is_(None))
    for pseudonym in (await session.execute(query)).scalars().all():
        await _tell(session, link, pseudonym)


async def _tell(session: AsyncSession, link: sa.RowMapping, pseudonym: str) -> None:
    seq = await say(session, link, PersonErased(pseudonym=pseudonym))
    epoch = (await session.execute(sa.select(streams.c.epoch).where(streams.c.link_id == link["id"]))).scalar_one()
    values = {"epoch": epoch, "seq": seq, "said_at": datetime.now(UTC), "acked_at": None}
    kept = insert(erasures).values(link_id=link["id"], pseudonym=pseudonym, **values)
    key = [erasures.c.link_id, erasures.c.pseudonym]
    await session.execute(kept.on_conflict_do_update(index_elements=key, set_=values))

"""Receipts: how far a peer has applied what we said, so that our coordinators see who still holds a copy of what."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import Receipt
from services.federation import copies, public_stream
from services.federation.hub_tables import public_reads
from services.federation.mending_tables import erasures
from services.federation.saying import say
from services.federation.tables import positions, streams

AT_LEAST_EVERY = timedelta(hours=1)
"""Also the heartbeat by which a peer notices that our last words were lost."""

PUBLIC_AT_MOST_EVERY = timedelta(minutes=5)
"""About what goes to everybody, everybody would else answer each time."""

LARGEST_PROOF = 30_000


async def give(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """Tell the peer how far we are. With a doubt, also the newest thing that it signed: it may have forgotten."""
    query = sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update()
    position, voice = (await session.execute(query)).mappings().first(), await public_stream.voice(session, link)
    if position is None or voice is None or position["epoch"] < 1:
        return
    public = voice is not link
    receipt = Receipt(
        epoch=position["epoch"],
        applied_to=position["applied_to"],
        copies=await copies.count(session, voice["id"]),
        proof=position["proof"] if position["doubts"] and not public else None,
        public=public,
    )
    await say(session, voice, receipt)
    values = {"owes_receipt": False, "doubts": False, "receipt_at": now}
    await session.execute(sa.update(positions).where(positions.c.link_id == link["id"]).values(**values))


async def take(session: AsyncSession, link: sa.RowMapping, receipt: Receipt, *, now: datetime) -> None:
    """Remember how far the peer is in our present epoch, and which erasures it has thereby acknowledged."""
    if receipt.public:
        await _take_public(session, link, receipt, now=now)
        return
    mine = sa.and_(
        streams.c.link_id == link["id"], streams.c.epoch == receipt.epoch, streams.c.seq >= receipt.applied_to
    )
    values = {
        "acked_to": sa.func.greatest(streams.c.acked_to, receipt.applied_to),
        "acked_at": now,
        "peer_copies": receipt.copies,
    }
    if (await session.execute(sa.update(streams).where(mine).values(**values))).rowcount == 0:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        return
    heard = sa.and_(
        erasures.c.link_id == link["id"],
        erasures.c.epoch == receipt.epoch,
        erasures.c.seq <= receipt.applied_to,
        erasures.c.acked_at.is_(None),
    )
    await session.execute(sa.update(erasures).where(heard).values(acked_at=now))


async def _take_public(session: AsyncSession, link: sa.RowMapping, receipt: Receipt, *, now: datetime) -> None:
    """How far the peer of `link` has come in our public stream."""
    ours = await public_stream.ours(session)
    if ours is None:
        return
    place = sa.select(streams.c.link_id).where(
        streams.c.link_id == ours["id"], streams.c.epoch == receipt.epoch, streams.c.seq >= receipt.applied_to
    )
    if (await session.execute(place)).first() is None:
        return
    values = {"epoch": receipt.epoch, "acked_to": receipt.applied_to, "acked_at": now}
    kept = insert(public_reads).values(link_id=link["id"], **values)
    await session.execute(kept.on_conflict_do_update(index_elements=["link_id"], set_=values))

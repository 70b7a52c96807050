"""Receipts: how far a peer has applied what we said, so that our coordinators see who still holds a copy of what."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import Receipt
from services.federation import copies
from services.federation.mending_tables import erasures
from services.federation.saying import say
from services.federation.tables import positions, streams

AT_LEAST_EVERY = timedelta(hours=1)
"""Also the heartbeat by which a peer notices that our last words were lost."""

LARGEST_PROOF = 30_000


async def give(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """Tell the peer how far we are. With a doubt, also the newest thing that it signed: it may have forgotten."""
    query = sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update()
    position = (await session.execute(query)).mappings().first()
    if position is None:
        return
    receipt = Receipt(
        epoch=position["epoch"],
        applied_to=position["applied_to"],
        copies=await copies.count(session, link["id"]),
        proof=position["proof"] if position["doubts"] else None,
    )
    await say(session, link, receipt)
    values = {"owes_receipt": False, "doubts": False, "receipt_at": now}
    await session.execute(sa.update(positions).where(positions.c.link_id == link["id"]).values(**values))


async def take(session: AsyncSession, link: sa.RowMapping, receipt: Receipt, *, now: datetime) -> None:
    """Remember how far the peer is in our present epoch, and which erasures it has thereby acknowledged."""
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

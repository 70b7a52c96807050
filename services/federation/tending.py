"""What each link needs by itself, every few seconds: gaps, receipts, manifests, what was asked again, leases."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.federation import copies, manifests, mending, own_things, receipts, recovery, replays, saying
from services.federation.domain import LISTENING, SPEAKING
from services.federation.settings import FederationSettings
from services.federation.tables import links, positions, shares, streams

ASKED_AT_ONCE = 200

_log = logs.get(__name__)


async def tend(db: Database, settings: FederationSettings, *, now: datetime) -> None:
    """Do for every link what is due, each in a transaction of its own."""
    every = timedelta(seconds=settings.federation_manifest_seconds)
    lease = timedelta(days=settings.federation_lease_days)
    async with db.reading() as session:
        rows = (await session.execute(_what_is_due(every, now))).mappings().all()
    for row in rows:
        if row["has_gap"]:
            await db.run(_on_link, row["id"], mending.ask_for_missing, now=now)
        if row["owes_receipt"]:
            await db.run(_on_link, row["id"], receipts.give, now=now)
        if row["owes_manifest"]:
            await db.run(_on_link, row["id"], _tell_manifest, now=now)
    await _share_again(db, now=now)
    for link_id in await _listening(db):
        ended = await db.run(_end_leases, link_id, before=now - lease)
        if ended:
            _log.warning("copies-ended", link=str(link_id), count=ended)
    await db.run(recovery.end_when_whole, now=now)


def _what_is_due(every: timedelta, now: datetime) -> sa.Select[Any]:
    has_gap = sa.and_(positions.c.applied_to < positions.c.seen_to, positions.c.gap_since <= now - mending.GAP_GRACE)
    silent = sa.or_(positions.c.receipt_at.is_(None), positions.c.receipt_at <= now - receipts.AT_LEAST_EVERY)
    for_one = sa.or_(links.c.kind != "heard", positions.c.receipt_at <= now - receipts.PUBLIC_AT_MOST_EVERY)
    owes = sa.and_(positions.c.owes_receipt, for_one)
    untold = sa.or_(streams.c.manifest_at.is_(None), streams.c.manifest_at <= now - every)
    due = {
        "has_gap": sa.func.coalesce(has_gap, sa.false()),
        "owes_receipt": sa.and_(positions.c.link_id.is_not(None), sa.or_(owes, silent)),
        "owes_manifest": sa.and_(streams.c.link_id.is_not(None), sa.or_(streams.c.manifest_wanted, untold)),
    }
    return (
        sa.select(links.c.id, *(condition.label(name) for name, condition in due.items()))
        .outerjoin(streams, streams.c.link_id == links.c.id)
        .outerjoin(positions, positions.c.link_id == links.c.id)
        .where(links.c.status == "active", sa.or_(*due.values()))
        .order_by(links.c.id)
    )


async def _on_link(session: AsyncSession, link_id: UUID, act: Callable[..., Awaitable[None]], *, now: datetime) -> None:
    """`act` on the link, kept from changing; nothing when it is no longer active."""
    query = sa.select(links).where(links.c.id == link_id, links.c.status == "active").with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is not None:
        await act(session, link, now=now)


async def _tell_manifest(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    async with replays.counted(session, link, now=now):  # a peer can ask for it each time that it has come
        await manifests.tell(session, link, now=now)


async def _share_again(db: Database, *, now: datetime) -> None:
    """What peers have asked for again, each thing in a transaction of its own, as when it changes."""
    query = (
        sa.select(shares.c.link_id, shares.c.thing_id)
        .join(links, links.c.id == shares.c.link_id)
        .where(shares.c.asked, links.c.status.in_(SPEAKING))
        .order_by(shares.c.link_id, shares.c.thing_id)
        .limit(ASKED_AT_ONCE)
    )
    while True:
        async with db.reading() as session:
            wanted = (await session.execute(query)).all()
        for link_id, thing_id in wanted:
            await db.run(_share_one, link_id, thing_id, now=now)
        if len(wanted) < ASKED_AT_ONCE:
            return


async def _share_one(session: AsyncSession, link_id: UUID, thing_id: UUID, *, now: datetime) -> None:
    await own_things.lock(session, thing_id)
    query = sa.select(links).where(links.c.id == link_id, links.c.status.in_(SPEAKING)).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is not None:
        async with replays.counted(session, link, now=now):
            await saying.share(session, link, thing_id)


async def _listening(db: Database) -> list[UUID]:
    async with db.reading() as session:
        query = sa.select(links.c.id).where(links.c.status.in_(LISTENING)).order_by(links.c.id)
        return list((await session.execute(query)).scalars().all())


async def _end_leases(session: AsyncSession, link_id: UUID, *, before: datetime) -> int:
    query = sa.select(links).where(links.c.id == link_id, links.c.status.in_(LISTENING)).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    return 0 if link is None else await copies.end_leases(session, link, before=before)

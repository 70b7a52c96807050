"""Copies of peers' listings: the newest by (epoch, version), tombstones that refuse return, all gone with the link.

At the same (epoch, version) a publication beats a tombstone: a listing held back until its first day is withdrawn and
later shared again as the same version. An origin's own withdrawal always counts one more than its last publication.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import LinkState, ListingGone, ListingReceived
from services.catalog.tables import copies, ended_links


async def keep(session: AsyncSession, event: ListingReceived, *, said_at: datetime) -> None:
    """Keep what a peer shares. `said_at`: when federation said so (UTC)."""
    listing = event.listing
    values: dict[str, Any] = {
        "version": listing.version,
        "gone": False,
        "side": listing.side,
        "kind": listing.kind,
        "public": listing.public,
        "valid_until": listing.valid_until,
        "changed_at": listing.changed_at,
        "listing": listing.model_dump(mode="json"),
    }
    await _put(session, {"origin": event.origin, "id": listing.id}, values, event, said_at)


async def bury(session: AsyncSession, event: ListingGone, *, said_at: datetime) -> None:
    """Delete the content of a copy and keep its tombstone."""
    values: dict[str, Any] = {
        "version": event.version,
        "gone": True,
        "side": "",
        "kind": "",
        "public": False,
        "valid_until": None,
        "changed_at": said_at,
        "listing": None,
    }
    await _put(session, {"origin": event.origin, "id": event.id}, values, event, said_at)


async def end_link(session: AsyncSession, link: LinkState, *, said_at: datetime) -> None:
    """Delete all that this peer had shared until `said_at`, and refuse what comes late from before it."""
    await _lock(session, link.peer_id, exclusive=True)
    statement = insert(ended_links).values(origin=link.peer_id, at=said_at)
    later = sa.func.greatest(ended_links.c.at, statement.excluded.at)
    await session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_={"at": later}))
    await session.execute(sa.delete(copies).where(copies.c.origin == link.peer_id, copies.c.received_at <= said_at))


async def _put(
    session: AsyncSession,
    key: dict[str, Any],
    values: dict[str, Any],
    event: ListingReceived | ListingGone,
    said_at: datetime,
) -> None:
    await _lock(session, event.origin, exclusive=False)
    ended = sa.select(ended_links.c.at).where(ended_links.c.origin == event.origin, ended_links.c.at >= said_at)
    if (await session.execute(ended)).scalar() is not None:
        return
    values |= {"origin_name": event.origin_name, "epoch": event.epoch, "received_at": said_at}
    statement = insert(copies).values(**key, **values)
    said = statement.excluded
    kept = sa.tuple_(copies.c.epoch, copies.c.version, sa.not_(copies.c.gone))
    newer = kept < sa.tuple_(said.epoch, said.version, sa.not_(said.gone))
    await session.execute(statement.on_conflict_do_update(index_elements=["origin", "id"], set_=values, where=newer))


async def _lock(session: AsyncSession, origin: str, *, exclusive: bool) -> None:
    """The end of a link waits for copies of that peer that are being written, and they for it."""
    key = sa.func.hashtextextended(origin, 0)
    lock = sa.func.pg_advisory_xact_lock if exclusive else sa.func.pg_advisory_xact_lock_shared
    await session.execute(sa.select(lock(key)))

"""What a link is limited to by our coordinators, and cooperatives with which there is to be none."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation import tables
from services.federation.domain import SPEAKING
from services.federation.mending_tables import blocks
from services.federation.tables import links, own_listings, shares


async def limit(session: AsyncSession, link: sa.RowMapping, **limits: Any) -> None:
    """Set the limits of the locked `link`: what no longer may go is withdrawn, the rest is said again as it now may be.

    `limits`: `share_kinds`, `share_circles` (None: all), `withheld` (free fields), `open_requests_at_most`.
    """
    await session.execute(sa.update(links).where(links.c.id == link["id"]).values(**limits))
    if link["status"] not in SPEAKING:
        return
    every = sa.select(sa.literal(link["id"]), own_listings.c.id, sa.literal(0), sa.true())
    named = insert(shares).from_select(
        ["link_id", "thing_id", "listing_version", "asked"], every.where(sa.not_(own_listings.c.withdrawn))
    )
    key = [shares.c.link_id, shares.c.thing_id]
    await session.execute(named.on_conflict_do_update(index_elements=key, set_={"asked": True}))
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))


async def block(session: AsyncSession, link: sa.RowMapping, *, by: str, now: datetime) -> None:
    """No link is to be made with the peer of `link`, by them or by us."""
    values = {"peer_id": link["peer_id"], "peer_name": link["peer_name"], "blocked_by": by, "at": now}
    await session.execute(insert(blocks).values(**values).on_conflict_do_nothing())


async def unblock(session: AsyncSession, peer_id: str) -> None:
    """Links may be made again."""
    await session.execute(sa.delete(blocks).where(blocks.c.peer_id == peer_id))


async def is_blocked(session: AsyncSession, peer_id: str) -> bool:
    """Whether our coordinators have blocked `peer_id`."""
    return bool((await session.execute(sa.select(sa.exists().where(blocks.c.peer_id == peer_id)))).scalar_one())

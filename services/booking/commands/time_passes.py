"""What happens by itself: periods end, copies of peers that are gone go. By the database's clock."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.copies import forget_peer
from services.booking.commands.expiring import BATCH
from services.booking.commands.telling import tell
from services.booking.domain.booking import Booking
from services.booking.tables import OURS, bookings, links, offers, peer_busy, peer_resources, waiting

LATE_COPIES = timedelta(minutes=10)
WISHES_KEPT = timedelta(days=366)
"""As long as notifications and what feeds show of the past."""


async def complete_past(session: AsyncSession) -> int:
    """Complete confirmed bookings of ours that occupy nothing any more: buffers hold to their end.

    Not those where people check in: they end by their return, or as no-shows.
    """
    found = (
        sa.select(Booking)
        .where(bookings.c.status == "confirmed", bookings.c.resource_origin.is_(None))
        .where(bookings.c.grace_minutes.is_(None))
        .where(bookings.c.ends_at <= sa.func.now(), sa.func.upper(bookings.c.occupied) <= sa.func.now())
        .order_by(bookings.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    over = list((await session.execute(found)).scalars())
    now = await queries.database_time(session)
    for booking in over:
        await tell(session, booking, booking.complete(now=now))
    return len(over)


async def forget_ended_peers(session: AsyncSession) -> int:
    """Delete copies that came after the link with their origin had ended (events have no order)."""
    standing = sa.select(links.c.peer_id).where(links.c.status != "ended")
    ended = sa.select(links.c.peer_id).where(
        links.c.status == "ended", links.c.changed_at < sa.func.now() - LATE_COPIES
    )
    kept = sa.union(*(sa.select(table.c.origin) for table in (offers, peer_resources, peer_busy))).subquery()
    found = sa.select(kept.c.origin)
    found = found.where(kept.c.origin != OURS, kept.c.origin.in_(ended), kept.c.origin.not_in(standing))
    origins = list((await session.execute(found)).scalars())
    for origin in origins:
        await forget_peer(session, origin)
    return len(origins)


async def forget_old_wishes(session: AsyncSession) -> int:
    """Delete wishes of waiting lists that ended long ago. Returns how many (a batch at the most)."""
    ended = sa.select(waiting.c.id).where(
        waiting.c.status.not_in(("waiting", "offered")), waiting.c.changed_at < sa.func.now() - WISHES_KEPT
    )
    gone = sa.delete(waiting).where(waiting.c.id.in_(ended.limit(BATCH))).returning(waiting.c.id)
    return len((await session.execute(gone)).all())

"""What bookings say about who was asked and who used whose things: counted for fairness, never shown one by one.

Of a booking only this is kept: with which peer, in which direction, whom it asked, and whether it is a use. Events may
come in any order and more than once; the newest version of a booking counts.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingState
from services.matching.commands.index import is_ended
from services.matching.tables import OURS, uses

KEPT_DAYS = 400
_USES = {"confirmed", "in_use", "overdue", "completed"}


async def keep(session: AsyncSession, booking: BookingState, *, asked: bool, said_at: datetime) -> None:
    """Keep what counts of a booking. `asked`: somebody is to decide on it; `said_at`: when booking said so (UTC)."""
    owner = booking.offer_id if booking.resource_origin is not None else booking.owner.member_id
    if owner is None or (booking.borrower.member_id is not None and booking.borrower.member_id == owner):
        return
    peer = booking.resource_origin or booking.borrower.peer_id or OURS
    if peer != OURS and await is_ended(session, peer, said_at):
        return
    statement = insert(uses).values(peer=peer, id=booking.id, **_values(booking), owner_id=owner)
    statement = statement.values(asked_at=booking.changed_at if asked else None)
    newer = uses.c.version <= statement.excluded.version
    changed = {name: sa.case((newer, statement.excluded[name]), else_=uses.c[name]) for name in _values(booking)}
    first = sa.func.least(uses.c.asked_at, statement.excluded.asked_at)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["peer", "id"], set_=changed | {"asked_at": first})
    )
    await session.execute(sa.delete(uses).where(uses.c.at < said_at - timedelta(days=KEPT_DAYS)))


def _values(booking: BookingState) -> dict[str, Any]:
    """What a newer version of the same booking changes."""
    return {
        "version": booking.version,
        "lent": booking.resource_origin is None,
        "used": booking.status in _USES,
        "at": booking.start,
    }

"""A need that nobody answered is seen by more people, because its author said so."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import NeedWidened
from services.catalog import states
from services.catalog.commands.listings import has_left, update
from services.catalog.tables import circles, listings
from services.chassis import outbox

_WIDER = {"circle": ("cooperative", "peers"), "cooperative": ("peers",)}


async def widen(session: AsyncSession, event: NeedWidened) -> None:
    """Publish the need for `event.scope`; never for fewer people than now, and only when `by` may speak for it."""
    chosen = sa.select(listings).where(
        listings.c.id == event.need_id, listings.c.side == "need", listings.c.status == "published"
    )
    row = (await session.execute(chosen.with_for_update())).mappings().one_or_none()
    if row is None or event.scope is None or event.scope not in _WIDER.get(row["scope"], ()):
        return
    in_circle = sa.select(circles.c.id).where(
        circles.c.id == row["owner_circle_id"], circles.c.member_ids.contains([event.by])
    )
    speaks = row["owner_member_id"] == event.by or (await session.execute(in_circle)).scalar() is not None
    if not speaks or await has_left(session, row["owner_member_id"]):
        return
    changed = await update(session, row, {"scope": event.scope, "circle_ids": [], "peer_ids": []}, now=event.at)
    await outbox.add(session, states.published(changed))

"""What is forgotten of somebody who has left: their listings keep an id and a version, and no word."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.tables import idempotency, imports, listings

_NO_WORD = {
    "title": "",
    "text": "",
    "tags": [],
    "ref": None,
    "place_label": None,
    "latitude": None,
    "longitude": None,
    "owner_name": "",
}


async def forget(session: AsyncSession, member_id: UUID) -> None:
    """Empty the listings of a member whose membership has ended. What a circle took over is its own, and stays."""
    theirs = sa.and_(listings.c.owner_member_id == member_id, listings.c.status != "published")
    await session.execute(sa.update(listings).where(theirs).values(_NO_WORD))
    # good lines that wait to be imported go with their file
    for table in (imports, idempotency):
        await session.execute(sa.delete(table).where(table.c.member_id == member_id))

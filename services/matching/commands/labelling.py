"""Tags and categories of things, as they are compared: in an index of their own, newest first."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.tables import labels

_KEEP = sa.text(
    """
    INSERT INTO labels (what, label, side, changed_at, origin, id, kind, language, latitude, longitude)
    SELECT DISTINCT what, lower(unaccent(btrim(label))),
           side, changed_at, origin, id, kind, language, latitude, longitude
      FROM things, LATERAL (SELECT 'tag', unnest(tags) UNION ALL SELECT 'category', category) AS said (what, label)
     WHERE origin = :origin AND id = :id AND NOT gone AND btrim(label) <> ''
    """
)


async def keep(session: AsyncSession, origin: str, thing_id: UUID) -> None:
    """Keep those that the thing has now, in the transaction that has changed it."""
    await session.execute(sa.delete(labels).where(labels.c.origin == origin, labels.c.id == thing_id))
    await session.execute(_KEEP, {"origin": origin, "id": thing_id})

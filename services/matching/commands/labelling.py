"""Tags and categories of things, as they are compared: in an index of their own, newest first."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.tables import labels

_KEEP = """
INSERT INTO labels (what, label, side, changed_at, origin, id, kind, language, latitude, longitude, open, public, bits)
SELECT DISTINCT what, lower(unaccent(btrim(label))),
       side, changed_at, origin, id, kind, language, latitude, longitude, scope <> 'circle', scope = 'public',
       (SELECT bits FROM meanings m WHERE (m.origin, m.id) = (things.origin, things.id))
  FROM things, LATERAL (SELECT 'tag', unnest(tags) UNION ALL SELECT 'category', category) AS said (what, label)
 WHERE NOT gone AND btrim(label) <> '' AND """
_KEEP_ONE = sa.text(_KEEP + "origin = :origin AND id = :id")
_BARE = """
    WITH things AS MATERIALIZED (
        SELECT * FROM things
         WHERE NOT gone AND (tags <> '{}' OR category <> '')
           AND NOT EXISTS (SELECT FROM labels l WHERE (l.origin, l.id) = (things.origin, things.id))
           FOR UPDATE SKIP LOCKED
    )"""
_KEEP_MISSING = sa.text(_BARE + _KEEP + "true ON CONFLICT DO NOTHING")
"""Locked: what an event changes meanwhile is skipped, or waits and has its labels made anew."""
_COMPLETE = sa.text(
    """
    WITH bare AS (
        SELECT origin, id, scope FROM things t
         WHERE EXISTS (SELECT FROM labels l WHERE (l.origin, l.id) = (t.origin, t.id) AND (l.open IS NULL
               OR l.bits IS NULL AND EXISTS (SELECT FROM meanings m WHERE (m.origin, m.id) = (t.origin, t.id))))
           FOR UPDATE SKIP LOCKED
    )
    UPDATE labels SET open = scope <> 'circle', public = scope = 'public',
           bits = (SELECT bits FROM meanings m WHERE (m.origin, m.id) = (labels.origin, labels.id))
      FROM bare WHERE (bare.origin, bare.id) = (labels.origin, labels.id)
    """
)


async def keep(session: AsyncSession, origin: str, thing_id: UUID) -> None:
    """Keep those that the thing has now, in the transaction that has changed it."""
    await session.execute(sa.delete(labels).where(labels.c.origin == origin, labels.c.id == thing_id))
    await session.execute(_KEEP_ONE, {"origin": origin, "id": thing_id})


async def keep_missing(session: AsyncSession) -> None:
    """Keep what another version has not written of them, while this one's tables were made already."""
    await session.execute(_KEEP_MISSING)
    await session.execute(_COMPLETE)

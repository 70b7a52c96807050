"""Tags and categories of things, as they are compared: in an index of their own, newest first."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.tables import labels

KEEP = """
INSERT INTO labels (what, label, side, changed_at, origin, id, kind, language, latitude, longitude,
                    open, public, valid_from, valid_until, model, bits)
SELECT DISTINCT what, lower(unaccent(btrim(label))),
       side, changed_at, origin, id, kind, language, latitude, longitude,
       scope <> 'circle', scope = 'public', valid_from, valid_until, near.model, near.bits
  FROM things
       CROSS JOIN LATERAL (SELECT 'tag', unnest(tags) UNION ALL SELECT 'category', category) AS said (what, label)
       LEFT JOIN LATERAL (SELECT model, bits FROM meanings m
                           WHERE (m.origin, m.id) = (things.origin, things.id)) AS near ON true
 WHERE NOT gone AND btrim(label) <> '' AND """
"""The labels of the things of which the condition that is added holds."""
_KEEP_ONE = sa.text(KEEP + "origin = :origin AND id = :id")
_BARE = """
    WITH things AS MATERIALIZED (
        SELECT * FROM things
         WHERE NOT gone AND (tags <> '{}' OR category <> '')
           AND NOT EXISTS (SELECT FROM labels l WHERE (l.origin, l.id) = (things.origin, things.id))
           FOR UPDATE SKIP LOCKED
    )"""
_KEEP_MISSING = sa.text(_BARE + KEEP + "true ON CONFLICT DO NOTHING")
"""Locked: what an event changes meanwhile is skipped, or waits and has its labels made anew."""
_COMPLETE = sa.text(
    """
    WITH incomplete AS (
        SELECT origin, id, scope, valid_from, valid_until FROM things t
         WHERE EXISTS (SELECT FROM labels l LEFT JOIN meanings near ON (near.origin, near.id) = (l.origin, l.id)
                        WHERE (l.origin, l.id) = (t.origin, t.id)
                          AND (l.open IS NULL OR (l.model, l.bits) IS DISTINCT FROM (near.model, near.bits)))
           FOR UPDATE SKIP LOCKED
    )
    UPDATE labels SET open = t.scope <> 'circle', public = t.scope = 'public', valid_from = t.valid_from,
           valid_until = t.valid_until, model = near.model, bits = near.bits
      FROM incomplete t LEFT JOIN meanings near ON (near.origin, near.id) = (t.origin, t.id)
     WHERE (t.origin, t.id) = (labels.origin, labels.id)
    """
)
"""What is skipped here is just being encoded, which completes it, too."""


async def keep(session: AsyncSession, origin: str, thing_id: UUID) -> None:
    """Keep those that the thing has now, in the transaction that has changed it."""
    await session.execute(sa.delete(labels).where(labels.c.origin == origin, labels.c.id == thing_id))
    await session.execute(_KEEP_ONE, {"origin": origin, "id": thing_id})


async def keep_missing(session: AsyncSession) -> None:
    """Keep what another version has not written of them, while this one's tables were made already."""
    await session.execute(_KEEP_MISSING)
    await session.execute(_COMPLETE)

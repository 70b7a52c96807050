"""How many things have each word: counted again now and then, never in the way of an event."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

_COUNT = sa.text(
    """
    WITH counted AS MATERIALIZED (
        SELECT word AS lexeme, ndoc::bigint AS documents
          FROM ts_stat('SELECT words FROM things WHERE NOT gone')
         UNION ALL
        SELECT '', count(*) FROM things WHERE NOT gone
    ), forgotten AS (
        DELETE FROM lexemes l WHERE NOT EXISTS (SELECT FROM counted c WHERE c.lexeme = l.lexeme)
    )
    INSERT INTO lexemes AS l (lexeme, documents)
    SELECT lexeme, documents FROM counted
        ON CONFLICT (lexeme) DO UPDATE SET documents = excluded.documents WHERE l.documents <> excluded.documents
    """
)
_CHANGES = sa.text(
    "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE relid = CAST('things' AS regclass)"
)


async def changes(session: AsyncSession) -> int:
    """A number that grows with every write to the index (PostgreSQL tells it about a second late)."""
    return (await session.execute(_CHANGES)).scalar() or 0


async def count(session: AsyncSession) -> None:
    """Bring the table of words up to date, unless another replica is doing so."""
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended("vocabulary", 0)))
    if (await session.execute(lock)).scalar_one():
        await session.execute(_COUNT)

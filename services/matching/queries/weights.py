"""The weights in force, and those that wait for a yes."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.tables import weights

_MOST = 10


async def factors_in_force(session: AsyncSession) -> dict[str, float]:
    """Factors by term; empty: each counts once."""
    chosen = sa.select(weights.c.factors).where(weights.c.accepted_at.is_not(None))
    found = (await session.execute(chosen.order_by(weights.c.accepted_at.desc()).limit(1))).scalar()
    return dict(found or {})


async def all_weights(session: AsyncSession) -> Sequence[sa.RowMapping]:
    """The last ones, the newest first."""
    return (await session.execute(sa.select(weights).order_by(weights.c.id.desc()).limit(_MOST))).mappings().all()

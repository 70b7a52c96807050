"""Quotas of categories."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Quota
from services.booking.tables import OURS, category_quotas, offers


async def quotas_by_category(session: AsyncSession) -> dict[str, list[Quota]]:
    """The quotas of every category that our published offers have, or that has quotas; by name."""
    known = sa.select(offers.c.category).where(offers.c.origin == OURS, offers.c.published, offers.c.category != "")
    found: dict[str, list[Quota]] = {category: [] for category in (await session.execute(known.distinct())).scalars()}
    rows = await session.execute(sa.select(category_quotas).order_by(*category_quotas.primary_key.columns))
    for row in rows:
        quota = Quota(scope=row.scope, per=row.per, unit=row.unit, most=row.most)
        found.setdefault(row.category, []).append(quota)
    return dict(sorted(found.items(), key=lambda one: one[0].casefold()))

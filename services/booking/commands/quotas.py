"""Quotas of a resource and of categories, checked when they bind: those of one person pass here one after the other."""

from collections.abc import Sequence
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Quota
from services.booking.domain.booking import Booking
from services.booking.domain.quotas import COUNTED, Use, check_quota, whose, window_of
from services.booking.domain.spans import Span
from services.booking.resources import Resource
from services.booking.tables import OURS, bookings, category_quotas, offers

_SCOPES = {
    "member": bookings.c.borrower_member_id,
    "circle": bookings.c.circle_id,
    "peer": bookings.c.borrower_peer_id,
}


async def check_quotas(session: AsyncSession, resource: Resource, booking: Booking) -> None:
    """Raises QuotaReached when `booking` of our resource would be more than a quota allows. Itself is not counted."""
    for quota in resource.terms.quotas:
        await _check(session, quota, booking, bookings.c.offer_id == booking.offer_id)
    ours = sa.select(offers.c.id, offers.c.category).where(offers.c.origin == OURS).subquery()
    category = sa.select(ours.c.category).where(ours.c.id == booking.offer_id).scalar_subquery()
    same = sa.select(ours.c.id).where(ours.c.category == category)
    for quota in resource.category_quotas:
        await _check(session, quota, booking, bookings.c.offer_id.in_(same))


async def put_category_quotas(session: AsyncSession, category: str, quotas: Sequence[Quota]) -> None:
    """The quotas of a category of our offers, in place of those that it had."""
    await session.execute(sa.delete(category_quotas).where(category_quotas.c.category == category))
    if quotas:
        rows = [{"category": category, **quota.model_dump()} for quota in quotas]
        await session.execute(insert(category_quotas).values(rows))


async def _check(session: AsyncSession, quota: Quota, booking: Booking, which: sa.ColumnElement[bool]) -> None:
    who = whose(quota, booking)
    if who is None:
        return
    key = sa.func.hashtextextended(f"quota:{who}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    check_quota(
        quota, booking, await _used(session, _SCOPES[quota.scope] == who, which, window_of(quota, booking), booking)
    )


async def _used(
    session: AsyncSession, who: sa.ColumnElement[bool], which: sa.ColumnElement[bool], window: Span, booking: Booking
) -> Use:
    seconds = sa.func.extract("epoch", bookings.c.ends_at - bookings.c.starts_at)
    waiting_in_vain = sa.and_(bookings.c.status == "pending", bookings.c.decide_by <= sa.func.clock_timestamp())
    found = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(seconds), 0)).where(
        who,
        which,
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(COUNTED),
        sa.not_(waiting_in_vain),
        bookings.c.starts_at >= window.start,
        bookings.c.starts_at < window.end,
        bookings.c.id != booking.id,
    )
    count, total = (await session.execute(found)).one()
    return Use(bookings=count, hours=Fraction(int(total), 3600))

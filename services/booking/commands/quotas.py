"""Quotas of a resource and of categories, checked when they bind: those of one person pass here one after the other."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Quota
from services.booking.domain.booking import Booking
from services.booking.domain.quotas import COUNTED, Ledger, Use, check_quota, whose, window_of
from services.booking.domain.spans import Span
from services.booking.resources import Resource
from services.booking.tables import OURS, bookings, category_quotas, offers

_WHOLE_MONTH = timedelta(days=32)
_SCOPES = {
    "member": bookings.c.borrower_member_id,
    "circle": bookings.c.circle_id,
    "peer": bookings.c.borrower_peer_id,
}


async def check_quotas(session: AsyncSession, resource: Resource, booking: Booking) -> None:
    """Raises QuotaReached when `booking` of our resource would be more than a quota allows. Itself is not counted."""
    for quota, which in _quotas_of(resource, booking.offer_id):
        await _check(session, quota, booking, which)


async def ledgers(
    session: AsyncSession, resource: Resource, booking: Booking, during: Span, *, leaving_out: Collection[UUID] = ()
) -> list[Ledger]:
    """Each quota that `booking` comes under, with what is counted for it around `during`, for many bookings like it.

    `leaving_out`: bookings that are not counted.
    """
    found: list[Ledger] = []
    for quota, which in _quotas_of(resource, booking.offer_id):
        who = whose(quota, booking)
        if who is None:
            continue
        await _one_after_the_other(session, who)
        counted = _counted(_SCOPES[quota.scope] == who, which, during.widened(_WHOLE_MONTH, _WHOLE_MONTH))
        rows = await session.execute(
            sa.select(bookings.c.starts_at, bookings.c.ends_at).where(counted, bookings.c.id.not_in(leaving_out))
        )
        found.append(Ledger(quota=quota, counted=[Span(row.starts_at, row.ends_at) for row in rows]))
    return found


async def put_category_quotas(session: AsyncSession, category: str, quotas: Sequence[Quota]) -> None:
    """The quotas of a category of our offers, in place of those that it had."""
    await session.execute(sa.delete(category_quotas).where(category_quotas.c.category == category))
    if quotas:
        rows = [{"category": category, **quota.model_dump()} for quota in quotas]
        await session.execute(insert(category_quotas).values(rows))


def _quotas_of(resource: Resource, offer_id: UUID) -> list[tuple[Quota, sa.ColumnElement[bool]]]:
    """The quotas of the resource and of its category, each with the bookings that it is about."""
    ours = sa.select(offers.c.id, offers.c.category).where(offers.c.origin == OURS).subquery()
    category = sa.select(ours.c.category).where(ours.c.id == offer_id).scalar_subquery()
    same = sa.select(ours.c.id).where(ours.c.category == category)
    own = [(quota, bookings.c.offer_id == offer_id) for quota in resource.terms.quotas]
    return [*own, *((quota, bookings.c.offer_id.in_(same)) for quota in resource.category_quotas)]


async def _check(session: AsyncSession, quota: Quota, booking: Booking, which: sa.ColumnElement[bool]) -> None:
    who = whose(quota, booking)
    if who is None:
        return
    await _one_after_the_other(session, who)
    counted = _counted(_SCOPES[quota.scope] == who, which, window_of(quota, booking))
    seconds = sa.func.extract("epoch", bookings.c.ends_at - bookings.c.starts_at)
    found = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(seconds), 0))
    count, total = (await session.execute(found.where(counted, bookings.c.id != booking.id))).one()
    check_quota(quota, booking, Use(bookings=count, hours=Fraction(int(total), 3600)))


async def _one_after_the_other(session: AsyncSession, who: UUID | str) -> None:
    key = sa.func.hashtextextended(f"quota:{who}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _counted(who: sa.ColumnElement[bool], which: sa.ColumnElement[bool], window: Span) -> sa.ColumnElement[bool]:
    """The bookings that use up a quota in `window`."""
    waiting_in_vain = sa.and_(bookings.c.status == "pending", bookings.c.decide_by <= sa.func.clock_timestamp())
    return sa.and_(
        who,
        which,
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(COUNTED),
        sa.not_(waiting_in_vain),
        bookings.c.starts_at >= window.start,
        bookings.c.starts_at < window.end,
    )

"""Reads: a member's inbox and preference, the mails that coordinators may look at."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.domain import DEFAULT_PREFERENCE, EmailPreference
from services.notify.tables import contacts, deliveries, notifications, preferences

Rows = list[sa.RowMapping]


async def inbox_before(
    session: AsyncSession, member_id: UUID, *, before: int | None, only_unread: bool, limit: int
) -> Rows:
    """The newest notifications, newest first; those older than the seq `before` when it is given."""
    query = sa.select(notifications).where(notifications.c.member_id == member_id)
    if before is not None:
        query = query.where(notifications.c.seq < before)
    if only_unread:
        query = query.where(notifications.c.read_at.is_(None))
    return list((await session.execute(query.order_by(notifications.c.seq.desc()).limit(limit))).mappings())


async def inbox_after(session: AsyncSession, member_id: UUID, *, after: int, limit: int) -> Rows:
    """Notifications newer than the seq `after`, oldest first."""
    query = (
        sa.select(notifications)
        .where(notifications.c.member_id == member_id, notifications.c.seq > after)
        .order_by(notifications.c.seq)
        .limit(limit)
    )
    return list((await session.execute(query)).mappings())


async def position(session: AsyncSession, member_id: UUID, notification_id: UUID | None) -> int:
    """The seq of a notification of this member; the newest when it is None or gone."""
    mine = notifications.c.member_id == member_id
    if notification_id is not None:
        query = sa.select(notifications.c.seq).where(mine, notifications.c.id == notification_id)
        if (seq := (await session.execute(query)).scalar()) is not None:
            return seq
    newest = sa.select(sa.func.coalesce(sa.func.max(notifications.c.seq), 0)).where(mine)
    return (await session.execute(newest)).scalar_one()


async def unread(session: AsyncSession, member_id: UUID) -> int:
    """How many notifications of the member are unread."""
    query = sa.select(sa.func.count()).where(notifications.c.member_id == member_id, notifications.c.read_at.is_(None))
    return (await session.execute(query)).scalar_one()


async def preference(session: AsyncSession, member_id: UUID) -> EmailPreference:
    """Which mails the member wants."""
    query = sa.select(preferences.c.email).where(preferences.c.member_id == member_id)
    return (await session.execute(query)).scalar() or DEFAULT_PREFERENCE


async def mails(session: AsyncSession, *, status: str, before: UUID | None, limit: int) -> Rows:
    """Deliveries of one status, newest first; without what they say."""
    query = (
        sa.select(
            deliveries.c.id,
            deliveries.c.at,
            sa.func.coalesce(deliveries.c.email, contacts.c.email).label("to"),
            deliveries.c.template,
            deliveries.c.status,
            deliveries.c.attempts,
            deliveries.c.next_at,
            deliveries.c.done_at,
            deliveries.c.last_error,
        )
        .outerjoin(contacts, contacts.c.member_id == deliveries.c.member_id)
        .where(deliveries.c.status == status)
    )
    if before is not None:
        query = query.where(deliveries.c.id < before)
    return list((await session.execute(query.order_by(deliveries.c.id.desc()).limit(limit))).mappings())

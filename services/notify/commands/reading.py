"""What a member does with their inbox: reads it, says what should be mailed."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.problems import NotFound, NotSignedIn
from services.notify.domain import EmailPreference
from services.notify.tables import members, notifications, preferences


async def read(session: AsyncSession, member_id: UUID, notification_id: UUID, *, now: datetime) -> None:
    """Mark one notification read; again does nothing. Raises NotFound when it is not the member's."""
    mine = sa.and_(notifications.c.id == notification_id, notifications.c.member_id == member_id)
    first = sa.func.coalesce(notifications.c.read_at, now)
    marked = sa.update(notifications).where(mine).values(read_at=first).returning(notifications.c.id)
    if (await session.execute(marked)).scalar() is None:
        raise NotFound


async def read_all(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """Mark everything read that is there now."""
    mine = sa.and_(notifications.c.member_id == member_id, notifications.c.read_at.is_(None))
    await session.execute(sa.update(notifications).where(mine).values(read_at=now))


async def prefer(session: AsyncSession, member_id: UUID, email: EmailPreference) -> None:
    """Set which messages are mailed from now on. Raises NotSignedIn for whoever has left a moment ago."""
    status = sa.select(members.c.status).where(members.c.id == member_id).with_for_update(read=True)
    if (await session.execute(status)).scalar() == "left":
        raise NotSignedIn
    new = insert(preferences).values(member_id=member_id, email=email)
    await session.execute(new.on_conflict_do_update(index_elements=["member_id"], set_={"email": new.excluded.email}))

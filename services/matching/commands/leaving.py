"""Who has left: a token from before is good for minutes, and nothing may be written by it once they are forgotten."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.problems import NotSignedIn
from services.matching.member_tables import left_members

SEARCHES, QUESTIONS = 0, 1
"""What somebody writes one at a time; whoever leaves waits for both."""
_KEPT = timedelta(days=1)


async def one_at_a_time(session: AsyncSession, member_id: UUID, what: int) -> None:
    """Wait for other transactions in which `member_id` writes the same. Raises NotSignedIn when they have left."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(member_id), what))))
    gone = sa.select(left_members.c.member_id).where(left_members.c.member_id == member_id)
    if (await session.execute(gone)).first() is not None:
        raise NotSignedIn


async def note(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """They leave: wait for what they are writing, so that it can be forgotten, and let nothing more be written."""
    for what in (SEARCHES, QUESTIONS):
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(member_id), what))))
    await session.execute(sa.delete(left_members).where(left_members.c.at < now - _KEPT))
    await session.execute(insert(left_members).values(member_id=member_id, at=now).on_conflict_do_nothing())

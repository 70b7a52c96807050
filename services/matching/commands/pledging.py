"""What was promised towards a need, and has come."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import Actor
from services.chassis.problems import NotFound
from services.matching.commands.answering import only_its_owner
from services.matching.member_tables import introductions
from services.matching.queries import introductions as queries
from services.matching.queries.matches import need_of


async def receive(
    session: AsyncSession, need_id: UUID, key: tuple[str, UUID], *, received: bool, by: Actor, now: datetime
) -> None:
    """Note that the pledge `key` (the asker's peer, id) has come, or that it has not after all.

    Said twice, the first time counts. Raises NotFound, and NotAllowed for whoever does not answer for the need.
    """
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, by)
    when = sa.func.coalesce(introductions.c.received_at, now) if received else None
    same = (introductions.c.asker_peer == key[0], introductions.c.id == key[1], queries.pledged_to(need_id))
    noted = sa.update(introductions).where(*same).values(received_at=when).returning(introductions.c.id)
    if (await session.execute(noted)).scalar() is None:
        raise NotFound

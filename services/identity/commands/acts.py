"""Keeps the trail of coordinators' acts."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.acts import ActRecorded
from services.identity.tables import act


async def keep(session: AsyncSession, event: ActRecorded) -> None:
    """One line for each act, however many messages tell of it."""
    row = {
        "id": event.act_id,
        "at": event.at,
        "service": event.type.partition(".")[0],
        "actor_id": event.actor_id,
        "role": event.role,
        "what": event.what,
        "about": event.about,
        "said": event.said,
        "notes": event.notes,
        "correlation_id": event.correlation_id,
    }
    await session.execute(insert(act).values(row).on_conflict_do_nothing())

"""How far a peer's stream has come here: its row, locked for whoever goes on with it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation import saying
from services.federation.tables import positions, streams


async def of_relation(session: AsyncSession, relation: sa.RowMapping) -> sa.RowMapping:
    """How far the peer of a link has come on it, locked until the transaction ends.

    Made when there is none, and so is the counter of what we say there. Looked for first: an insert that does nothing
    waits for every transaction that has counted, and those follow each other without end when much is said.
    """
    speaks = sa.exists().where(streams.c.link_id == positions.c.link_id).label("speaks")
    query = sa.select(positions, speaks).where(positions.c.link_id == relation["id"])
    row = (await session.execute(query.with_for_update(of=positions))).mappings().first()
    if row is None or not row["speaks"]:
        await saying.open_stream(session, relation)
    return await of_stream(session, relation["id"], epoch=1) if row is None else row


async def of_stream(session: AsyncSession, link_id: UUID, *, epoch: int) -> sa.RowMapping:
    """The same for any stream; a new one begins in `epoch`."""
    query = sa.select(positions).where(positions.c.link_id == link_id).with_for_update()
    row = (await session.execute(query)).mappings().first()
    if row is not None:
        return row
    fresh = insert(positions).values(link_id=link_id, epoch=epoch, applied_to=0)
    await session.execute(fresh.on_conflict_do_nothing())
    return (await session.execute(query)).mappings().one()

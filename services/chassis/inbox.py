"""The inbox: what was handled already. Written in the transaction of the work, so that effects happen exactly once."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

_rows = sa.table(
    "inbox", sa.column("source", sa.Text), sa.column("id", sa.Uuid), sa.column("at", sa.DateTime(timezone=True))
)


def inbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table that a service remembers handled events in. Keep rows longer than the longest replay (30 days)."""
    return sa.Table(
        "inbox",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


async def first_time(session: AsyncSession, source: str, event_id: UUID) -> bool:
    """Whether (source, event_id) is new; remembers it in this transaction. A concurrent duplicate waits here."""
    statement = (
        insert(_rows)
        .values(source=source, id=event_id, at=datetime.now(UTC))
        .on_conflict_do_nothing()
        .returning(_rows.c.id)
    )
    return (await session.execute(statement)).scalar() is not None

"""The inbox: what was handled already. Written in the transaction of the work, so that effects happen exactly once."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

Key = tuple[str, UUID]
"""(source, id): what identifies an event (CloudEvents 1.0)."""


def inbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table that a service remembers handled events in. Keep rows longer than the longest replay (30 days)."""
    return sa.Table(
        "inbox",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


_REMEMBER = sa.text(
    "INSERT INTO inbox (source, id, at) SELECT source, id, now() FROM unnest(:sources, :ids) AS said (source, id)"
    " ON CONFLICT DO NOTHING RETURNING source, id"
).bindparams(sa.bindparam("sources", type_=ARRAY(sa.Text)), sa.bindparam("ids", type_=ARRAY(sa.Uuid)))


async def first_times(session: AsyncSession, keys: Collection[Key]) -> set[Key]:
    """Those of `keys` that are new; remembers them in this transaction. A concurrent duplicate waits here."""
    ordered = sorted(set(keys))  # in one order everywhere: two transactions that share keys do not deadlock
    said = {"sources": [source for source, _ in ordered], "ids": [event_id for _, event_id in ordered]}
    return {(row.source, row.id) for row in await session.execute(_REMEMBER.columns(source=sa.Text, id=sa.Uuid), said)}

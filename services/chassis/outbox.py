"""The outbox: an event is a row in the transaction of the change that caused it. The relay sends it."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.chassis import tracing
from services.chassis.database_listener import waking
from services.chassis.ids import new_id

CHANNEL = "outbox"
LARGEST_EVENT = 256 * 1024

_rows = sa.table(
    "outbox",
    sa.column("id", sa.Uuid),
    sa.column("type", sa.Text),
    sa.column("subject", sa.Text),
    sa.column("time", sa.DateTime(timezone=True)),
    sa.column("traceparent", sa.Text),
    sa.column("data", sa.Text),
)


_GIVEN = sa.func.unnest(*(sa.bindparam(column.name, type_=ARRAY(column.type)) for column in _rows.c))
_ADDED = sa.insert(_rows).from_select(
    [column.name for column in _rows.c],
    sa.select(sa.text("*")).select_from(_GIVEN.alias("given")),
)
_ADD = sa.select(waking(CHANNEL)).add_cte(_ADDED.cte("added"))


class EventTooLarge(ValueError):
    """An event has more than 256 KiB: the change that caused it must be refused at the edge."""


def outbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table that a service keeps its unsent events in. It stays nearly empty: sent rows are deleted."""
    return sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
    )


async def add(session: AsyncSession, *events: Event) -> None:
    """Say `events` once the transaction of `session` commits. Raises EventTooLarge."""
    if not events:
        return
    session.info.setdefault("said", []).extend((event.type, event.subject) for event in events)
    rows = [row_of(event) for event in events]
    await session.execute(_ADD, {column.name: [row[column.name] for row in rows] for column in _rows.c})


def said(session: AsyncSession) -> list[tuple[str, str]]:
    """Type and subject of the events that this transaction has said through `add`, in order."""
    return list(session.info.get("said", ()))


def row_of(event: Event) -> dict[str, object]:
    """The row of the outbox that says `event`, for whoever writes it with other things. Raises EventTooLarge."""
    data = event.model_dump_json()
    if len(data.encode()) > LARGEST_EVENT:
        raise EventTooLarge(f"{event.type} about {event.subject} is larger than {LARGEST_EVENT} bytes")
    return {
        "id": new_id(),
        "type": event.type,
        "subject": event.subject,
        "time": datetime.now(UTC),
        "traceparent": tracing.current(),
        "data": data,
    }

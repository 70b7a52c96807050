"""Writing a booking down so that it holds: the decision of the database, in one round trip (rules 1, 3 and 8)."""

import json
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span
from services.booking.tables import bookings
from services.chassis import outbox

Outcome = Literal["bound", "rules_changed", "expire_first", "too_many_waiting", "taken"]

_BIND = sa.text(
    "SELECT bind_booking("
    "CAST(:written AS jsonb), CAST(:line AS jsonb), CAST(:event AS jsonb), :under, :limit, :releases)"
).bindparams(
    sa.bindparam("written", type_=sa.Text),
    sa.bindparam("line", type_=sa.Text),
    sa.bindparam("event", type_=sa.Text),
    sa.bindparam("under", type_=sa.BigInteger),
    sa.bindparam("limit", type_=sa.Integer),
    sa.bindparam("releases", type_=sa.Uuid),
)
COLUMNS = tuple(column.name for column in bookings.c)


async def bind(
    session: AsyncSession,
    booking: Booking,
    *,
    under: int,
    event: Event | None = None,
    line: dict[str, Any] | None = None,
    limit: int | None = None,
    releases: UUID | None = None,
) -> Outcome:
    """Insert `booking` of our own resource if it fits, with its event and its line of history; else say why not.

    `under`: the version of the resource whose rules allowed it. `limit`: how many requests of the borrower may wait.
    `releases`: the member's hold that makes way for it. The resource is locked until the transaction ends.
    """
    values = {
        "written": json.dumps({name: getattr(booking, name) for name in COLUMNS}, default=as_text),
        "line": json.dumps(line) if line is not None else None,
        "event": json.dumps(outbox.row_of(event), default=as_text) if event is not None else None,
        "under": under,
        "limit": limit,
        "releases": releases,
    }
    return (await session.execute(_BIND, values)).scalar_one()


def as_text(value: object) -> str:
    """How JSON, read as columns by PostgreSQL, writes what JSON itself does not know."""
    match value:
        case Span():
            return f'["{value.start.isoformat()}","{value.end.isoformat()}")'
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not written as JSON")

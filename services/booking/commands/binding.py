"""Writing a booking down so that it holds: the decision of the database, in one round trip (rules 1, 3 and 8)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.booking.domain.booking import Booking
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
_BIND_TOGETHER = sa.text("SELECT bind_bookings(CAST(:asked AS jsonb))").bindparams(sa.bindparam("asked", type_=sa.Text))
_JSON = frozenset({"written", "line", "event"})
COLUMNS = tuple(column.name for column in bookings.c)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A booking of our own resource to be written down if it fits, with its event and its line of history.

    `under`: the version of the resource whose rules allowed it. `limit`: how many requests of the borrower may wait.
    `releases`: the member's hold that makes way for it.
    """

    booking: Booking
    under: int
    event: Event | None = None
    line: dict[str, Any] | None = None
    limit: int | None = None
    releases: UUID | None = None

    @cached_property
    def values(self) -> dict[str, Any]:
        """What the database is handed; the event carries the trace of the context in which this is first read."""
        return {
            "written": written(self.booking),
            "line": self.line,
            "event": outbox.row_of(self.event) if self.event is not None else None,
            "under": self.under,
            "limit": self.limit,
            "releases": self.releases,
        }


async def bind(session: AsyncSession, binding: Binding) -> Outcome:
    """Write the booking down, or say why not. The resource is locked until the transaction ends."""
    values = {
        name: json.dumps(value, default=as_text) if name in _JSON and value is not None else value
        for name, value in binding.values.items()
    }
    return (await session.execute(_BIND, values)).scalar_one()


async def bind_together(session: AsyncSession, bindings: Sequence[Binding]) -> list[Outcome]:
    """The same for several, one after the other, in one transaction: in a session that commits by itself.

    Whoever meets the same locks elsewhere takes them in the same order: first borrowers', then resources'.
    """
    asked = json.dumps([binding.values for binding in bindings], default=as_text)
    return (await session.execute(_BIND_TOGETHER, {"asked": asked})).scalar_one()


def written(booking: Booking) -> dict[str, Any]:
    """Every column of the booking, as JSON that PostgreSQL reads as a row."""
    row = {name: getattr(booking, name) for name in COLUMNS}
    occupied = booking.occupied
    row["occupied"] = f'["{occupied.start.isoformat()}","{occupied.end.isoformat()}")' if occupied else None
    return row


def as_text(value: object) -> str:
    """How JSON, read as columns by PostgreSQL, writes what JSON itself does not know."""
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not written as JSON")

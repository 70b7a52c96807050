"""What is done to several bookings of a series in one step: written in a few statements, told to people once."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingEvent, SeriesEvent
from contracts.envelope import Event
from services.booking.commands.binding import as_text, written
from services.booking.commands.telling import tell
from services.booking.domain.booking import Booking
from services.booking.domain.series import Series, SeriesStatus
from services.booking.tables import series
from services.chassis import outbox
from services.chassis.ids import new_id

_INSERT = sa.text(
    "INSERT INTO bookings SELECT * FROM jsonb_populate_recordset(NULL::bookings, CAST(:rows AS jsonb))"
).bindparams(sa.bindparam("rows", type_=sa.Text))
_STAND = sa.text("UPDATE bookings SET status = :status WHERE id = ANY(:ids)").bindparams(
    sa.bindparam("status", type_=sa.Text), sa.bindparam("ids", type_=ARRAY(sa.Uuid))
)
_TELL = sa.text(
    "WITH lines AS (INSERT INTO history (booking_id, at, what, by_name)"
    " SELECT booking_id, at, what, by_name FROM jsonb_populate_recordset(NULL::history, CAST(:lines AS jsonb))),"
    " said AS (INSERT INTO outbox SELECT * FROM jsonb_populate_recordset(NULL::outbox, CAST(:events AS jsonb)))"
    " SELECT wake(:channel)"
).bindparams(sa.bindparam("lines", type_=sa.Text), sa.bindparam("events", type_=sa.Text))


async def insert_all(session: AsyncSession, bookings: Sequence[Booking]) -> None:
    """Write new bookings of one resource of ours, which is locked. The database checks each beside those before it."""
    await session.execute(_INSERT, {"rows": _rows(bookings)})


@asynccontextmanager
async def stepping_aside(session: AsyncSession, bookings: Sequence[Booking]) -> AsyncGenerator[None]:
    """Within it, give `bookings` of one locked resource of ours new periods: each may take another's old one.

    They give way to each other until its end, when the database checks each in its new place. Nobody sees it: the
    transaction is one.
    """
    ids: dict[str, list[UUID]] = {}
    for booking in bookings:
        ids.setdefault(booking.status, []).append(booking.id)
    await session.execute(_STAND, {"status": "cancelled", "ids": [booking.id for booking in bookings]})
    yield
    await session.flush()
    for status, stood in ids.items():
        await session.execute(_STAND, {"status": status, "ids": stood})


async def locked_series(session: AsyncSession, series_id: UUID) -> Series | None:
    """The series, held until the transaction ends: before its bookings, so that two who act on all do not deadlock."""
    found = sa.select(Series).where(series.c.id == series_id).with_for_update()
    return (await session.execute(found.execution_options(populate_existing=True))).scalar()


async def tell_series(
    session: AsyncSession,
    repeated: Series,
    bookings: Sequence[Booking],
    events: Sequence[BookingEvent],
    *,
    as_one: Callable[..., SeriesEvent],
    by: str | None = None,
    what: str | None = None,
) -> None:
    """Say `events`, one for each of `bookings` (one at least), and `as_one` about them all; a line of history each.

    `by`: the name of who did it; `what` when the status does not say it.
    """
    await session.flush()
    together = new_id()
    lines = [
        {"booking_id": one.id, "at": one.changed_at, "what": what or one.status, "by_name": by} for one in bookings
    ]
    said: list[Event] = [event.model_copy(update={"together": together}) for event in events]
    said.append(as_one(series=repeated.state(bookings), together=together))
    values = {
        "lines": json.dumps(lines, default=as_text),
        "events": json.dumps([outbox.row_of(event) for event in said], default=as_text),
        "channel": outbox.CHANNEL,
    }
    await session.execute(_TELL, values)


async def tell_each_or_together(
    session: AsyncSession,
    found: Sequence[Booking],
    act: Callable[[Booking], BookingEvent],
    *,
    as_one: Callable[..., SeriesEvent],
    status: SeriesStatus | None = None,
    what: str | None = None,
) -> None:
    """Let `act` happen to each of `found`: told one by one, and once for those that belong to a series."""
    for booking in (one for one in found if one.series_id is None):
        await tell(session, booking, act(booking), what=what)
    for series_id in sorted({one.series_id for one in found if one.series_id is not None}):
        repeated = await locked_series(session, series_id)
        if repeated is not None:
            mine = [one for one in found if one.series_id == series_id]
            events = [act(one) for one in mine]
            repeated.become(status, now=mine[0].changed_at)
            await tell_series(session, repeated, mine, events, as_one=as_one, what=what)


def _rows(bookings: Sequence[Booking]) -> str:
    return json.dumps([written(one) for one in bookings], default=as_text)

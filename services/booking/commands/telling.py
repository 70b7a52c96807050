"""Writing down what happened: the history for people, the events for other services."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BookingEvent, BusyChanged, Interval
from services.booking import queries
from services.booking.commands.accounts import record
from services.booking.domain.booking import Booking
from services.booking.domain.spans import Span, merged
from services.booking.resources import Resource, resource_of
from services.booking.tables import history, resources
from services.chassis import outbox

LONGEST_BUSY = timedelta(days=120)
MOST_INTERVALS = 2500
"""About 180 KiB as JSON: below the size of an event (256 KiB)."""


async def tell(
    session: AsyncSession, booking: Booking, event: BookingEvent, *, by: str | None = None, what: str | None = None
) -> None:
    """Keep a line of history (and of the accounts, once it is over), and say `event`.

    `by`: the name of who did it; `what` when the status does not say it.
    """
    await session.flush()
    if booking.status in {"completed", "no_show"}:
        await record(session, booking)
    line = {"booking_id": booking.id, "at": booking.changed_at, "what": what or booking.status, "by_name": by}
    await session.execute(sa.insert(history).values(line))
    await outbox.add(session, event)


async def tell_busy(session: AsyncSession, offer_id: UUID, now: datetime) -> Resource | None:
    """Say when our resource is busy from `now` on, in this transaction. Returns the resource, locked by this.

    The counter's row lock orders concurrent changes: the list of the higher version contains those of the lower ones.
    """
    await session.flush()
    counted = (
        sa.update(resources)
        .where(resources.c.offer_id == offer_id)
        .values(busy_version=resources.c.busy_version + 1)
        .returning(*resources.c)
    )
    row = (await session.execute(counted)).first()
    if row is None:
        return None
    resource = resource_of(row)
    until = min(resource.rules.latest(now), now + LONGEST_BUSY)
    busy = merged(await queries.occupied(session, offer_id, Span(now, until)))
    if len(busy) > MOST_INTERVALS:
        until = busy[MOST_INTERVALS].start
        busy = busy[:MOST_INTERVALS]
    intervals = [Interval(start=span.start, end=span.end) for span in busy]
    event = BusyChanged(offer_id=offer_id, since=now, until=until, busy=intervals, version=resource.busy_version)
    await outbox.add(session, event)
    return resource


async def tell_all_busy(session: AsyncSession, changed: Iterable[Booking], now: datetime) -> None:
    """Say the busy times of every resource of ours that `changed` bookings belong to, in the order of their ids."""
    for offer_id in sorted({booking.offer_id for booking in changed if booking.is_ours}):
        await tell_busy(session, offer_id, now)

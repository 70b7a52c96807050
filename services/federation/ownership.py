"""Whose things are whose: what the gate asks our tables, and what they remember of what passed."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderUseReported,
)
from contracts.envelope import Event
from services.federation import tables
from services.federation.gate import Ownership
from services.federation.tables import bookings_abroad, guest_bookings, links, shares

_OF_BOOKINGS = (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderUseReported,
)


async def look_up(session: AsyncSession, event: Event, source: str) -> Ownership:
    """What `check_ownership` must know about what `event` of the peer `source` names."""
    if not isinstance(event, _OF_BOOKINGS):
        return Ownership()
    asked_of = sa.select(bookings_abroad.c.peer_id).where(bookings_abroad.c.booking_id == event.booking_id)
    asked_by = sa.exists().where(guest_bookings.c.peer_id == source, guest_bookings.c.booking_id == event.booking_id)
    shared = sa.false()
    if isinstance(event, BorderBookingRequested):
        shared = sa.exists().where(
            shares.c.thing_id == event.offer_id,
            shares.c.resource_version > 0,
            # also what was withdrawn since: the request was on its way, and gets a refusal instead of silence
            shares.c.link_id == links.c.id,
            links.c.peer_id == source,
            links.c.status != "ended",
        )
    row = (await session.execute(sa.select(asked_of.scalar_subquery(), asked_by, shared))).one()
    return Ownership(asked_of=row[0], asked_by_source=row[1], shared_with_source=row[2])


async def remember(session: AsyncSession, event: Event, source: str) -> None:
    """A guest's booking is from now on one that `source` may withdraw, and that we may answer to it."""
    if isinstance(event, BorderBookingRequested):
        row = {"peer_id": source, "booking_id": event.booking_id}
        await session.execute(insert(tables.guest_bookings).values(**row).on_conflict_do_nothing())

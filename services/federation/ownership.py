"""Whose things are whose: what the gate asks our tables, and what they remember of what passed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
    BorderUseReported,
)
from contracts.envelope import Event
from services.federation import introductions, shareable, tables
from services.federation.gate import Ownership
from services.federation.manifests import OPEN_ANSWERS
from services.federation.tables import bookings_abroad, guest_bookings, links, shares

_OF_BOOKINGS = (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderUseReported,
)
_OF_INTRODUCTIONS = (
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
)


async def look_up(session: AsyncSession, event: Event, source: str) -> Ownership:
    """What `check_ownership` must know about what `event` of the peer `source` names."""
    if isinstance(event, _OF_INTRODUCTIONS):
        known = await introductions.known_of(session, source, event.introduction_id)
        asks = isinstance(event, BorderIntroductionRequested)
        shared = asks and await introductions.is_shared(session, event.thing_id, source)
        return Ownership(introduction=known, shared_with_source=shared)
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
            sa.or_(links.c.peer_id == source, links.c.kind == "public"),
            links.c.status != "ended",
        )
    row = (await session.execute(sa.select(asked_of.scalar_subquery(), asked_by, shared))).one()
    return Ownership(asked_of=row[0], asked_by_source=row[1], shared_with_source=row[2])


async def remember(session: AsyncSession, event: Event, source: str, body: str) -> None:
    """A guest's booking is from now on one that `source` may withdraw, and that we may answer to it.

    An answer is kept as the peer has signed it (`body`): should it come back from a backup, we hand it back.
    """
    if isinstance(event, BorderBookingRequested):
        row = {"peer_id": source, "booking_id": event.booking_id}
        await session.execute(insert(tables.guest_bookings).values(**row).on_conflict_do_nothing())
    elif isinstance(event, BorderBookingAnswered):
        newer = sa.update(bookings_abroad).where(
            bookings_abroad.c.booking_id == event.booking_id, bookings_abroad.c.version < event.version
        )
        decision: dict[str, Any] = {"version": event.version, "status": event.status, "decision": body or None}
        if event.status not in OPEN_ANSWERS:  # nothing to hand back any more
            decision |= {"decision": None, "request": None}
        await session.execute(newer.values(**decision))
    elif isinstance(event, _OF_INTRODUCTIONS):
        await introductions.remember(session, event, source)


async def why_not(session: AsyncSession, event: BorderBookingRequested, link: sa.RowMapping) -> str | None:
    """Why the border itself declines a request: another peer's booking has its id, or too many are open."""
    guests = guest_bookings
    taken = sa.exists().where(guests.c.booking_id == event.booking_id, guests.c.peer_id != link["peer_id"])
    if (await session.execute(sa.select(taken))).scalar_one():
        return shareable.ID_IS_TAKEN
    if link["open_requests_at_most"] is None:
        return None
    others = sa.and_(guests.c.peer_id == link["peer_id"], guests.c.booking_id != event.booking_id)
    waiting = sa.select(sa.func.count()).where(others, guests.c.status.in_(("", "pending")))
    too_many = (await session.execute(waiting)).scalar_one() >= link["open_requests_at_most"]
    return shareable.TOO_MANY_OPEN if too_many else None

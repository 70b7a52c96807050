"""Bookings: what they occupy, how many wait, and what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Approval
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change
from services.booking.domain.spans import Occupied, Span, levels
from services.booking.domain.states import OCCUPYING, OPEN
from services.booking.tables import bookings, changes, changes_abroad, history, resources


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """What happened to a booking, when (UTC), and the name of who did it (None: nobody of ours)."""

    at: datetime
    what: str
    by_name: str | None


async def database_time(session: AsyncSession) -> datetime:
    """The database's clock, the same for every replica (UTC)."""
    return (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()


async def booking(session: AsyncSession, booking_id: UUID, *, lock: bool = False) -> Booking | None:
    """A booking by its id; with `lock`, held until the transaction ends."""
    found = sa.select(Booking).where(bookings.c.id == booking_id).execution_options(populate_existing=True)
    return (await session.execute(found.with_for_update() if lock else found)).scalar()


async def history_of(session: AsyncSession, booking_ids: list[UUID]) -> dict[UUID, list[HistoryLine]]:
    """What happened to each of these bookings, oldest first."""
    found = sa.select(history).where(history.c.booking_id.in_(booking_ids)).order_by(history.c.number)
    lines: dict[UUID, list[HistoryLine]] = {booking_id: [] for booking_id in booking_ids}
    for row in await session.execute(found):
        lines[row.booking_id].append(HistoryLine(at=row.at, what=row.what, by_name=row.by_name))
    return lines


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """How requests for a resource are decided: by whom, and how many must say yes."""

    approval: Approval = "coordinator"
    needed: int = 1


async def deciding_of(session: AsyncSession, offer_ids: set[UUID]) -> dict[UUID, Deciding]:
    """How requests for each of our resources are decided."""
    found = sa.select(resources.c.offer_id, resources.c.approval, resources.c.terms).where(
        resources.c.offer_id.in_(offer_ids)
    )
    return {
        row.offer_id: Deciding(approval=row.approval, needed=row.terms.get("approvals_needed", 1))
        for row in await session.execute(found)
    }


async def changes_of(session: AsyncSession, booking_ids: list[UUID]) -> dict[UUID, Change]:
    """The changes that wait for an answer, ours or a peer's, by booking; a peer's proposal until its time is over."""
    found = sa.select(changes).where(
        changes.c.booking_id.in_(booking_ids), changes.c.decide_by > sa.func.clock_timestamp()
    )
    waiting = {
        row.booking_id: Change(
            period=Span(row.starts_at, row.ends_at),
            quantity=row.quantity,
            note=row.note,
            by_owner=row.asked_by_owner,
            decide_by=row.decide_by,
            together=row.together,
        )
        for row in await session.execute(found)
    }
    open_still = sa.or_(sa.not_(changes_abroad.c.by_owner), changes_abroad.c.decide_by > sa.func.clock_timestamp())
    asked_of_peers = sa.select(changes_abroad).where(changes_abroad.c.booking_id.in_(booking_ids), open_still)
    return waiting | {
        row.booking_id: Change(
            period=Span(row.starts_at, row.ends_at),
            quantity=row.quantity,
            note=row.note,
            by_owner=row.by_owner,
            decide_by=row.decide_by,
            number=row.number,
            withdrawn=row.withdrawn,
            accepted=row.accepted,
        )
        for row in await session.execute(asked_of_peers)
    }


async def upcoming(session: AsyncSession, offer_id: UUID, now: datetime) -> int:
    """How many bookings of our resource are open and not over."""
    found = sa.select(sa.func.count()).where(
        bookings.c.offer_id == offer_id,
        bookings.c.resource_origin.is_(None),
        bookings.c.status.in_(OPEN),
        bookings.c.ends_at > now,
    )
    return (await session.execute(found)).scalar_one()


async def above(session: AsyncSession, offer_id: UUID, capacity: int) -> tuple[list[UUID], int]:
    """Bookings of our resource at the times when more than `capacity` are taken, and the most that is taken."""
    found = sa.select(bookings.c.id, bookings.c.occupied, bookings.c.quantity).where(
        bookings.c.offer_id == offer_id, bookings.c.resource_origin.is_(None), bookings.c.status.in_(OCCUPYING)
    )
    rows = (await session.execute(found.order_by(bookings.c.starts_at, bookings.c.id))).all()
    taken = levels(Occupied(row.occupied, row.quantity) for row in rows)
    over = [span for span, level in taken if level > capacity]
    ids = [row.id for row in rows if any(row.occupied.overlaps(span) for span in over)]
    return ids, max((level for _, level in taken), default=0)


async def pending_count(session: AsyncSession, *, member_id: UUID | None = None, peer_id: str | None = None) -> int:
    """How many requests of a member (here and at peers) or of a peer wait for a decision; a series is one request."""
    whose = bookings.c.borrower_member_id == member_id if peer_id is None else bookings.c.borrower_peer_id == peer_id
    one_for_a_series = sa.func.coalesce(bookings.c.series_id, bookings.c.id)
    found = sa.select(sa.func.count(sa.distinct(one_for_a_series))).where(
        whose,
        bookings.c.status.in_(("pending", "cancelling")),
        sa.or_(bookings.c.resource_origin.is_not(None), bookings.c.decide_by > sa.func.now()),
    )
    return (await session.execute(found)).scalar_one()

"""What is taken of resources: ours by what stands in the tables, peers' by what they told."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.spans import Occupied, Span
from services.booking.domain.states import OCCUPYING
from services.booking.queries.offers import peer_busy_times
from services.booking.tables import (
    OURS,
    SpanType,
    bookings,
    changes,
    external_busy,
    offers,
    resource_calendars,
    resources,
)

_INSTANT = sa.DateTime(timezone=True)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def occupied(
    session: AsyncSession,
    offer_id: UUID,
    window: Span,
    *,
    origin: str | None = None,
    excluding: UUID | Collection[UUID] | None = None,
) -> list[Occupied]:
    """What is taken within `window`, sorted; without holds and requests whose time is over.

    Ours is taken by bookings, and wholly by the calendar elsewhere of the person whose time it is.
    For a peer's resource: what the peer told, and what our own members have asked for since.
    `excluding`: a booking (or several) not counted, nor its change of period.
    """
    left_out = [excluding] if isinstance(excluding, UUID) else list(excluding or ())
    if origin is None:
        return (await occupied_of(session, [offer_id], window, excluding=left_out))[offer_id]
    told = await peer_busy_times(session, origin, offer_id)
    # What we asked for before the peer last told is in what it told; counted twice it only matters below the top.
    since = sa.or_(bookings.c.exclusive, bookings.c.created_at > (told.as_of or _LONG_AGO))
    asked = sa.select(bookings.c.occupied, bookings.c.quantity).where(
        bookings.c.offer_id == offer_id,
        bookings.c.occupied.op("&&")(window),
        bookings.c.status.in_(OCCUPYING),
        bookings.c.resource_origin == origin,
        since,
        bookings.c.id != sa.all_(sa.bindparam(None, left_out, ARRAY(sa.Uuid))),
    )
    rows = await session.execute(asked)
    mine = [Occupied(row.occupied, row.quantity) for row in rows]
    return sorted([*(one for one in told.occupied if one.span.overlaps(window)), *mine])


async def occupied_of(
    session: AsyncSession,
    offer_ids: Collection[UUID],
    window: Span,
    *,
    excluding: Collection[UUID] = (),
) -> dict[UUID, list[Occupied]]:
    """The same for several resources of ours, in one round trip."""
    found: dict[UUID, list[Occupied]] = {offer_id: [] for offer_id in offer_ids}
    values = {"offer_ids": list(found), "window": window, "left_out": list(excluding)}
    for offer_id, starts, ends, quantities in await session.execute(_TAKEN, values):
        found[offer_id] = sorted(map(Occupied, map(Span, starts, ends), quantities))
    return found


def _by_offer(parts: sa.CompoundSelect[Any, Any, Any]) -> sa.Select[Any, Any, Any, Any]:
    """One row for each offer: arrays are read many times faster than rows of ranges."""
    each = parts.subquery()
    ends = (sa.func.array_agg(edge(each.c.span), type_=ARRAY(_INSTANT)) for edge in (sa.func.lower, sa.func.upper))
    return sa.select(each.c.offer_id, *ends, sa.func.array_agg(each.c.quantity)).group_by(each.c.offer_id)


def _taken() -> sa.CompoundSelect[Any, Any, Any]:
    """Bookings, changes that wait, and the busy times of the owner elsewhere where the offer follows their calendar.

    A change takes what is beyond its booking: together, the greater of the two counts.
    """
    given = sa.func.unnest(sa.bindparam("offer_ids", type_=ARRAY(sa.Uuid)))
    asked = given.table_valued(sa.column("id", sa.Uuid)).render_derived(name="asked")
    window = sa.bindparam("window", type_=SpanType)
    left_out = sa.bindparam("left_out", type_=ARRAY(sa.Uuid))
    now = sa.func.clock_timestamp()
    over = sa.and_(bookings.c.status.in_(("held", "pending")), bookings.c.decide_by <= now)
    booked = (
        sa.select(bookings.c.offer_id, bookings.c.occupied.label("span"), bookings.c.quantity)
        .join(asked, asked.c.id == bookings.c.offer_id)
        .where(bookings.c.occupied.op("&&")(window), bookings.c.status.in_(OCCUPYING), sa.not_(over))
        .where(bookings.c.resource_origin.is_(None), bookings.c.id != sa.all_(left_out))
    )
    waiting = sa.and_(
        changes.c.occupied.op("&&")(window),
        changes.c.decide_by > now,
        bookings.c.status.in_(OCCUPYING),
        changes.c.booking_id != sa.all_(left_out),
    )
    joined = changes.join(asked, asked.c.id == changes.c.offer_id).join(bookings, bookings.c.id == changes.c.booking_id)
    beyond = sa.select(changes.c.offer_id, changes.c.occupied, changes.c.quantity).select_from(joined).where(waiting)
    both = sa.type_coerce(changes.c.occupied.op("*")(bookings.c.occupied), SpanType)
    fewer = -sa.func.least(changes.c.quantity, bookings.c.quantity)
    overlap = changes.c.occupied.op("&&")(bookings.c.occupied)
    shared = sa.select(changes.c.offer_id, both, fewer).select_from(joined).where(waiting, overlap)
    elsewhere = (
        sa.select(resource_calendars.c.offer_id, external_busy.c.busy, resources.c.capacity)
        .join(asked, asked.c.id == resource_calendars.c.offer_id)
        .join(external_busy, external_busy.c.member_id == resource_calendars.c.member_id)
        .join(offers, sa.and_(offers.c.origin == OURS, offers.c.id == resource_calendars.c.offer_id))
        .join(resources, resources.c.offer_id == resource_calendars.c.offer_id)
        .where(resource_calendars.c.follows_calendar, external_busy.c.busy.op("&&")(window))
        .where(offers.c.owner_member_id == resource_calendars.c.member_id)
    )
    return sa.union_all(booked, beyond, shared, elsewhere)


_TAKEN = _by_offer(_taken())

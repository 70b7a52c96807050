"""What can be booked: offers, links, resources and peers' busy times."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Interval, Partly
from contracts.shared import SharedResource
from services.booking.domain.deciding import Offer
from services.booking.domain.spans import Occupied, Span
from services.booking.resources import Resource, resource_from, resource_of
from services.booking.tables import OURS, category_quotas, links, offers, peer_busy, peer_resources, resources

ALL = 1_000_000
"""As many as any resource has."""

LINKED = ("active", "paused")
"""A link in one of these states carries bookings (while paused, later)."""


async def offer(session: AsyncSession, offer_id: UUID, origin: str | None = None) -> Offer | None:
    """The copy of an offer, ours or that of a peer with which there is a link; None when there is none."""
    row = (
        await session.execute(sa.select(offers).where(offers.c.origin == (origin or OURS), offers.c.id == offer_id))
    ).first()
    if row is None or (origin is not None and not await is_linked(session, origin)):
        return None
    return offer_of(row)


async def like(session: AsyncSession, wanted: Offer, *, most: int = 20) -> list[Offer]:
    """Other offers of the same kind and category, ours first, then those of linked peers."""
    linked = sa.select(links.c.peer_id).where(links.c.status.in_(LINKED))
    found = (
        sa.select(offers)
        .where(offers.c.published, offers.c.kind == wanted.kind, offers.c.category == wanted.category)
        .where(sa.or_(offers.c.origin == OURS, offers.c.origin.in_(linked)))
        .where(sa.tuple_(offers.c.origin, offers.c.id) != (wanted.origin or OURS, wanted.id))
        .order_by(offers.c.origin, offers.c.id)
        .limit(most)
    )
    return [offer_of(row) for row in await session.execute(found)]


def offer_of(row: sa.Row[Any]) -> Offer:
    """The offer in a row of `offers`."""
    return Offer(
        id=row.id,
        origin=row.origin or None,
        origin_name=row.origin_name,
        title=row.title,
        kind=row.kind,
        category=row.category,
        owner_member_id=row.owner_member_id,
        owner_circle_id=row.owner_circle_id,
        owner_name=row.owner_name,
        place_label=row.place_label,
        scope=row.scope,
        circle_ids=frozenset(row.circle_ids),
        peer_ids=frozenset(row.peer_ids),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        published=row.published,
    )


async def is_linked(session: AsyncSession, peer_id: str, *, hold: bool = False) -> bool:
    """Whether a link with that peer stands; with `hold`, it does not end before the transaction has."""
    found = sa.select(links.c.link_id).where(links.c.peer_id == peer_id, links.c.status.in_(LINKED)).limit(1)
    found = found.with_for_update(read=True) if hold else found
    return (await session.execute(found)).first() is not None


async def has_ended_with(session: AsyncSession, peer_id: str) -> bool:
    """Whether there was a link with that peer, and none is there now. What stands does not end before we have."""
    found = sa.select(links.c.status).where(links.c.peer_id == peer_id).with_for_update(read=True)
    statuses = set((await session.execute(found)).scalars())
    return statuses == {"ended"}


async def resource(session: AsyncSession, offer_id: UUID, origin: str | None = None) -> Resource | None:
    """How an offer can be booked; None when nobody has said."""
    if origin is None:
        of_category = (
            sa.select(sa.func.jsonb_agg(sa.func.to_jsonb(category_quotas.table_valued()), type_=JSONB))
            .join(offers, offers.c.category == category_quotas.c.category)
            .where(offers.c.origin == OURS, offers.c.id == offer_id)
            .scalar_subquery()
        )
        found = sa.select(resources, of_category.label("of_category")).where(resources.c.offer_id == offer_id)
        row = (await session.execute(found)).first()
        return resource_of(row, of_category=row.of_category or ()) if row is not None else None
    copy = sa.select(peer_resources.c.resource).where(
        peer_resources.c.origin == origin, peer_resources.c.offer_id == offer_id
    )
    told = (await session.execute(copy)).scalar()
    return resource_from(SharedResource.model_validate(told)) if told is not None else None


@dataclass(frozen=True, kw_only=True)
class ToldBusy:
    """The busy times that a peer has told of its resource, and when it last did (None: never)."""

    occupied: list[Occupied]
    as_of: datetime | None


async def peer_busy_times(session: AsyncSession, origin: str, offer_id: UUID) -> ToldBusy:
    """What the peer has told. Where nothing is left, as many are taken as there are."""
    copy = sa.select(peer_busy.c.busy, peer_busy.c.partly, peer_busy.c.received_at)
    row = (await session.execute(copy.where(peer_busy.c.origin == origin, peer_busy.c.offer_id == offer_id))).first()
    if row is None:
        return ToldBusy(occupied=[], as_of=None)
    full = [Interval.model_validate(one) for one in row.busy]
    partly = [Partly.model_validate(one) for one in row.partly]
    return ToldBusy(
        occupied=[
            *(Occupied(Span(one.start, one.end), ALL) for one in full),
            *(Occupied(Span(one.start, one.end), one.taken) for one in partly),
        ],
        as_of=row.received_at,
    )

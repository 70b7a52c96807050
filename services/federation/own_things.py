"""What we keep of our own things so that peers can be told: the shareable forms, and who may have them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BusyChanged, ResourceState
from contracts.catalog import ListingState, ListingWithdrawn
from contracts.identity import CooperativeState
from services.federation import own_tables, saying, scrubbing, tables
from services.federation.shareable import shared_busy, shared_listing, shared_resource

SHARED_SCOPES = ("peers", "public")


async def keep_profile(session: AsyncSession, cooperative: CooperativeState) -> None:
    """How we present ourselves to peers from now on."""
    table = own_tables.profile
    values = {
        "name": cooperative.name,
        "summary": cooperative.summary,
        "web": cooperative.web,
        "locale": cooperative.locale,
        "version": cooperative.version,
    }
    await _keep_newest(session, table, {"id": 1}, values)


async def keep_listing(session: AsyncSession, listing: ListingState) -> None:
    """A listing was published or changed: tell the peers that may know, withdraw it from those that no longer may."""
    await lock(session, listing.id)
    shared = listing.audience.scope in SHARED_SCOPES
    to_come = listing.valid_from is not None and listing.valid_from > datetime.now(UTC)
    values = {
        "version": listing.version,
        "withdrawn": False,
        "scope": listing.audience.scope,
        "peer_ids": listing.audience.peer_ids,
        "shared_form": shared_listing(listing).model_dump_json() if shared else None,
        "title": listing.title,
        "circle_id": listing.owner_circle_id,
        "valid_from": listing.valid_from if to_come else None,
    }
    if await _keep_newest(session, tables.own_listings, {"id": listing.id}, values):
        await saying.share_with_all(session, listing.id)


async def drop_listing(session: AsyncSession, event: ListingWithdrawn) -> None:
    """A listing is gone: a tombstone stays here, and every peer that has a copy is told."""
    await lock(session, event.id)
    values = {
        "version": event.version,
        "withdrawn": True,
        "scope": "cooperative",
        "peer_ids": [],
        "shared_form": None,
        "circle_id": None,
        "valid_from": None,
    }
    if event.reason == "owner_left":
        values["title"] = ""
        await scrubbing.take_out(session, [str(event.id)])
    if await _keep_newest(session, tables.own_listings, {"id": event.id}, values):
        await saying.share_with_all(session, event.id)


async def keep_resource(session: AsyncSession, resource: ResourceState) -> None:
    """How an offer is booked has changed."""
    await lock(session, resource.offer_id)
    values = {"version": resource.version, "shared_form": shared_resource(resource).model_dump_json()}
    if await _keep_newest(session, tables.own_resources, {"offer_id": resource.offer_id}, values):
        await saying.share_with_all(session, resource.offer_id)


async def keep_busy(session: AsyncSession, event: BusyChanged) -> None:
    """When a resource is busy has changed."""
    await lock(session, event.offer_id)
    values = {"version": event.version, "shared_form": shared_busy(event).model_dump_json()}
    if await _keep_newest(session, tables.own_busy, {"offer_id": event.offer_id}, values):
        await saying.share_with_all(session, event.offer_id)


async def share_what_has_begun(session: AsyncSession, *, now: datetime) -> int:
    """Share the listings whose first day has come by `now` (aware UTC). Returns how many there were."""
    table = tables.own_listings
    query = sa.select(table.c.id).where(table.c.valid_from <= now).order_by(table.c.id).limit(100)
    begun = (await session.execute(query)).scalars().all()
    for listing_id in begun:
        await lock(session, listing_id)
        await session.execute(sa.update(table).where(table.c.id == listing_id).values(valid_from=None))
        await saying.share_with_all(session, listing_id)
    return len(begun)


async def lock(session: AsyncSession, thing_id: UUID) -> None:
    """One at a time per thing: its listing and its booking side arrive concurrently and must see each other."""
    key = sa.func.hashtextextended(str(thing_id), 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def _keep_newest(session: AsyncSession, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
    """Write a row unless a newer version is there. Returns whether it was written."""
    statement = insert(table).values(**key, **values)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c[name] for name in key],
        set_=values,
        where=statement.excluded.version > table.c.version,
    )
    return (await session.execute(statement.returning(table.c.version))).first() is not None

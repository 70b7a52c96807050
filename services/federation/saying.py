"""What we say to peers: written with its number in one transaction with its cause; the border relay signs and sends it.

What each peer has been told of each thing is remembered, so that what it may no longer see is withdrawn.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBusyChanged,
    BorderListingPublished,
    BorderListingWithdrawn,
    BorderResourceChanged,
)
from contracts.catalog import Audience
from contracts.envelope import Event
from contracts.shared import SharedBusy, SharedListing, SharedResource
from services.chassis.ids import new_id
from services.federation import carrying, tables
from services.federation.domain import HEAR_PUBLIC_STREAM, LISTENING, OPEN_ANSWERS, RELATIONS, SPEAKING
from services.federation.public_stream import PUBLIC
from services.federation.sealed import content_of
from services.federation.shareable import for_peer, may_go_to
from services.federation.tables import links, shares, streams


class LinkNotOpenYet(Exception):
    """What is to be said has to wait for the link: its event comes again later."""


async def say(session: AsyncSession, link: sa.RowMapping, event: Event) -> int:
    """Say `event` to the peer of `link` once the transaction commits. Returns its number, gapless in (link, epoch)."""
    now = datetime.now(UTC)
    counter = sa.update(streams).where(streams.c.link_id == link["id"]).values(seq=streams.c.seq + 1, last_sent_at=now)
    place = (await session.execute(counter.returning(streams.c.epoch, streams.c.seq))).one()
    event_id = new_id()
    public = link["kind"] == "public"
    content = content_of(
        event,
        event_id=event_id,
        audience=PUBLIC if public else link["peer_id"],
        stream=link["peer_link_id"] if public else link["id"],
        epoch=place.epoch,
        seq=place.seq,
        now=now,
    ).model_dump_json()
    log = {"link_id": link["id"], "epoch": place.epoch, "seq": place.seq, "at": now, "content": content}
    await session.execute(sa.insert(tables.sent_log).values(**log))
    await carrying.put(session, link, content, event_id=event_id)
    await _keep_what_was_said(session, link, event, content)
    return int(place.seq)


async def _keep_what_was_said(session: AsyncSession, link: sa.RowMapping, event: Event, content: str) -> None:
    """The last word about each booking across the border: said again when a peer lacks it, or comes back without it."""
    if isinstance(event, BorderBookingRequested):
        abroad = tables.bookings_abroad
        await session.execute(sa.update(abroad).where(abroad.c.booking_id == event.booking_id).values(request=content))
    elif isinstance(event, BorderBookingAnswered):
        guests = tables.guest_bookings
        mine = sa.and_(guests.c.peer_id == link["peer_id"], guests.c.booking_id == event.booking_id)
        values: dict[str, Any] = {"version": event.version, "status": event.status, "answer": event.model_dump_json()}
        if event.status not in OPEN_ANSWERS:  # nothing to hand back any more
            values |= {"request": None, "pseudonym": None}
        await session.execute(sa.update(guests).where(mine, guests.c.version <= event.version).values(**values))


async def link_with(session: AsyncSession, peer_id: str) -> sa.RowMapping | None:
    """The link on which we speak to `peer_id`, kept from changing until this transaction ends; None when there is none.

    Raises LinkNotOpenYet while it is being opened: the peer, a moment before us, may have been heard already.
    """
    with_it = sa.and_(links.c.peer_id == peer_id, links.c.kind.in_(RELATIONS))
    query = sa.select(links).where(with_it, links.c.status.in_(LISTENING)).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is not None and link["status"] not in SPEAKING:
        raise LinkNotOpenYet(link["peer_name"])
    return link


async def open_stream(session: AsyncSession, link: sa.RowMapping) -> None:
    """Make the counter of what we say on `link`, when there is none yet."""
    fresh = insert(streams).values(link_id=link["id"], epoch=link["epoch"], seq=0)
    await session.execute(fresh.on_conflict_do_nothing())


async def share_with_all(session: AsyncSession, thing_id: UUID) -> None:
    """Bring every peer up to date about one thing of ours, already written to our tables."""
    # links that open at this moment are waited for: they back-fill from what was committed before
    living = sa.select(links).where(links.c.status.in_(LISTENING), links.c.kind != "heard")
    query = living.order_by(links.c.id).with_for_update(read=True)
    for link in (await session.execute(query)).mappings().all():
        if link["status"] in SPEAKING:
            await share(session, link, thing_id)


async def share_everything(session: AsyncSession, link: sa.RowMapping) -> None:
    """Back-fill: all that the peer of a link just opened (or, on our public stream, everybody) may know."""
    await open_stream(session, link)
    listings = tables.own_listings
    query = sa.select(listings.c.id).where(sa.not_(listings.c.withdrawn), listings.c.scope.in_(("peers", "public")))
    for thing_id in (await session.execute(query.order_by(listings.c.id))).scalars().all():
        await share(session, link, thing_id, fully=True)


async def share(session: AsyncSession, link: sa.RowMapping, thing_id: UUID, *, fully: bool = False) -> None:
    """Say to the peer of `link` what it should know of one thing and does not, or withdraw it.

    All of it where the peer has asked for it again. What it hears on our public stream, only then or `fully`.
    """
    listing = await _row(session, tables.own_listings, tables.own_listings.c.id == thing_id)
    told = await _row(session, shares, (shares.c.link_id == link["id"]) & (shares.c.thing_id == thing_id))
    if listing is None:
        return
    if not is_for(listing, link):
        await _withdraw(session, link, listing, told)
        return
    asked = fully or (told is not None and told["asked"])
    if listing["scope"] == PUBLIC and link["kind"] in HEAR_PUBLIC_STREAM and not asked:
        return
    known = {"listing_version": 0, "resource_version": 0, "busy_version": 0} | dict(told or {})
    if told is not None and (told["withdrawn"] or told["asked"]):
        known |= {"listing_version": 0, "resource_version": 0, "busy_version": 0}
    versions = {"listing_version": listing["version"]}
    if known["listing_version"] < listing["version"]:
        told_form = form_for(listing, link)
        versions["seq"] = await say(session, link, BorderListingPublished(listing=told_form))
    versions |= await _share_booking_side(session, link, thing_id, known)
    if told is None or told["withdrawn"] or told["asked"] or "seq" in versions:
        await _remember(session, link, thing_id, {**versions, "withdrawn": False, "asked": False})


async def _share_booking_side(
    session: AsyncSession, link: sa.RowMapping, offer_id: UUID, known: dict[str, Any]
) -> dict[str, int]:
    """How the offer is booked and when it is busy, if the peer does not know. Returns the versions it then has."""
    versions = {name: int(known[name]) for name in ("resource_version", "busy_version")}
    resource = await _row(session, tables.own_resources, tables.own_resources.c.offer_id == offer_id)
    if resource is None:
        return versions
    if resource["version"] > versions["resource_version"]:
        form = SharedResource.model_validate_json(resource["shared_form"])
        versions["seq"] = await say(session, link, BorderResourceChanged(resource=form))
        versions["resource_version"] = resource["version"]
    busy = await _row(session, tables.own_busy, tables.own_busy.c.offer_id == offer_id)
    if busy is not None and busy["version"] > versions["busy_version"]:
        form = SharedBusy.model_validate_json(busy["shared_form"])
        versions["seq"] = await say(session, link, BorderBusyChanged(busy=form))
        versions["busy_version"] = busy["version"]
    return versions


async def _withdraw(
    session: AsyncSession, link: sa.RowMapping, listing: sa.RowMapping, told: sa.RowMapping | None
) -> None:
    if told is None or (told["withdrawn"] and not told["asked"]):
        return
    if told["listing_version"] == 0:  # asked for without ever having been told of it: it learns nothing
        await session.execute(
            sa.delete(shares).where(shares.c.link_id == link["id"], shares.c.thing_id == listing["id"])
        )
        return
    version = max(listing["version"], told["listing_version"])
    seq = await say(session, link, BorderListingWithdrawn(id=listing["id"], version=version))
    values = {"listing_version": version, "withdrawn": True, "asked": False, "seq": seq}
    await _remember(session, link, listing["id"], values)


def is_for(listing: sa.RowMapping, link: sa.RowMapping) -> bool:
    """Whether a thing of ours may be known to the peer of `link`: by its own audience, and by the link's limits."""
    if listing["withdrawn"] or listing["valid_from"] is not None or listing["shared_form"] is None:
        return False
    if link["kind"] in {"public", "hub"}:
        return listing["scope"] == PUBLIC
    circles, kinds = link["share_circles"], link["share_kinds"]
    if circles is not None and listing["circle_id"] not in circles:
        return False
    if kinds is not None and SharedListing.model_validate_json(listing["shared_form"]).kind not in kinds:
        return False
    return may_go_to(Audience(scope=listing["scope"], peer_ids=listing["peer_ids"]), link["peer_id"])


def form_for(listing: sa.RowMapping, link: sa.RowMapping) -> SharedListing:
    """A thing of ours as the peer of `link` is told of it."""
    return for_peer(SharedListing.model_validate_json(listing["shared_form"]), link["withheld"])


async def _remember(session: AsyncSession, link: sa.RowMapping, thing_id: UUID, values: dict[str, Any]) -> None:
    statement = insert(shares).values(link_id=link["id"], thing_id=thing_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[shares.c.link_id, shares.c.thing_id], set_=values)
    )


async def _row(session: AsyncSession, table: sa.Table, where: sa.ColumnElement[bool]) -> sa.RowMapping | None:
    return (await session.execute(sa.select(table).where(where))).mappings().first()

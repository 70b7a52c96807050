"""Keeping copies of what others own: the newest version wins, and what is gone stays gone.

At the same (epoch, version) a publication beats a tombstone: a listing held back until its first day is withdrawn and
later shared again as the same version. An origin's own withdrawal always counts one more than its last publication.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesRequested
from contracts.catalog import ListingState
from contracts.federation import BusyReceived, LinkState, ListingGone, ListingReceived, ResourceReceived
from contracts.identity import CircleState, MemberState
from services.booking import queries
from services.booking.commands.external import forget_member
from services.booking.commands.handing_out import wake_lines_of
from services.booking.commands.peers import end_with_peer
from services.booking.commands.resources import close, retell
from services.booking.commands.together import tell_each_or_together
from services.booking.domain.booking import Booking
from services.booking.tables import OURS, bookings, circles, links, members, offers, peer_busy, peer_resources

_GONE: dict[str, Any] = {
    "published": False,
    "title": "",
    "kind": "",
    "category": "",
    "owner_name": None,
    "place_label": None,
    "scope": "cooperative",
    "circle_ids": [],
    "peer_ids": [],
    "valid_from": None,
    "valid_until": None,
}


async def keep_offer(session: AsyncSession, listing: ListingState, *, now: datetime) -> None:
    """An offer of ours was published or changed."""
    before = await queries.offer(session, listing.id)
    newest = await _keep_offer(
        session,
        origin=OURS,
        id=listing.id,
        origin_name=None,
        epoch=0,
        version=listing.version,
        published=True,
        title=listing.title,
        kind=listing.kind,
        category=listing.category,
        owner_member_id=listing.owner_member_id,
        owner_circle_id=listing.owner_circle_id,
        owner_name=listing.owner_name,
        place_label=listing.place.label if listing.place else None,
        scope=listing.audience.scope,
        circle_ids=listing.audience.circle_ids,
        peer_ids=listing.audience.peer_ids,
        valid_from=listing.valid_from,
        valid_until=listing.valid_until,
    )
    after = await queries.offer(session, listing.id)
    if not newest or after is None or before is None:
        return
    if (before.title, before.owner_member_id) != (after.title, after.owner_member_id):
        await retell(session, after, now)


async def withdraw_offer(session: AsyncSession, offer_id: UUID, *, version: int, now: datetime) -> None:
    """An offer of ours is gone: no new bookings. Title and owner are kept for the bookings that exist."""
    tombstone = {"origin": OURS, "id": offer_id, "epoch": 0, "version": version, **_GONE}
    put = insert(offers).values(tombstone)
    put = put.on_conflict_do_update(
        index_elements=["origin", "id"],
        set_={"version": put.excluded.version, "published": False},
        where=put.excluded.version > offers.c.version,
    )
    newest = (await session.execute(put.returning(offers.c.id))).scalar() is not None
    offer = await queries.offer(session, offer_id)
    if newest and offer is not None:
        await close(session, offer, now)


async def keep_peer_offer(session: AsyncSession, received: ListingReceived) -> None:
    """A peer shares an offer, or has changed it."""
    listing = received.listing
    await _keep_offer(
        session,
        origin=received.origin,
        id=listing.id,
        origin_name=received.origin_name,
        epoch=received.epoch,
        version=listing.version,
        published=True,
        title=listing.title,
        kind=listing.kind,
        category=listing.category,
        owner_member_id=None,
        owner_circle_id=None,
        owner_name=None,
        place_label=listing.place.label if listing.place else None,
        scope="public" if listing.public else "peers",
        circle_ids=[],
        peer_ids=[],
        valid_from=None,
        valid_until=listing.valid_until,
    )


async def forget_peer_offer(session: AsyncSession, event: ListingGone, *, said_at: datetime) -> None:
    """A peer's listing is gone: only its tombstone stays, and nothing of how it was booked.

    `said_at`: when federation said so (UTC). What was said later of how it is booked came first, and stays.
    """
    gone = await _keep_offer(
        session,
        origin=event.origin,
        id=event.id,
        origin_name=None,
        epoch=event.epoch,
        version=event.version,
        **_GONE,
    )
    if gone:
        for copies in (peer_resources, peer_busy):
            of_it = sa.and_(copies.c.origin == event.origin, copies.c.offer_id == event.id)
            await session.execute(sa.delete(copies).where(of_it, copies.c.said_at <= said_at))


async def keep_peer_resource(session: AsyncSession, received: ResourceReceived, *, said_at: datetime) -> None:
    """How a peer's offer can be booked. `said_at`: when federation said so (UTC)."""
    told = received.resource
    values = {"version": told.version, "said_at": said_at, "resource": told.model_dump(mode="json")}
    values |= {"epoch": received.epoch}
    await _keep_newest(session, peer_resources, {"origin": received.origin, "offer_id": told.offer_id}, values)


async def keep_peer_busy(session: AsyncSession, received: BusyReceived, *, said_at: datetime, now: datetime) -> None:
    """When a peer's resource is busy. `said_at`: when federation said so (UTC); `now`: for "as of"."""
    busy = [interval.model_dump(mode="json") for interval in received.busy.busy]
    partly = [part.model_dump(mode="json") for part in received.busy.partly]
    values = {"version": received.busy.version, "said_at": said_at, "busy": busy, "partly": partly, "received_at": now}
    values |= {"epoch": received.epoch}
    await _keep_newest(session, peer_busy, {"origin": received.origin, "offer_id": received.busy.offer_id}, values)


async def keep_member(session: AsyncSession, member: MemberState, *, now: datetime) -> None:
    """A member joined, changed or left; what waited for one who left goes to coordinators."""
    values = {"name": member.name, "role": member.role, "status": member.status, "version": member.version}
    newest = await _keep_newest(session, members, {"id": member.id}, values)
    if newest and member.status == "left":
        await _hand_over(session, member.id, now)
        await forget_member(session, member.id)
    if newest:
        await wake_lines_of(session, [member.id])


async def keep_circle(session: AsyncSession, circle: CircleState) -> None:
    """A circle's members, whole. Who has come or gone may book other things than before."""
    before = (await session.execute(sa.select(circles.c.member_ids).where(circles.c.id == circle.id))).scalar()
    values = circle.model_dump(include={"name", "member_ids", "status", "version"})
    if await _keep_newest(session, circles, {"id": circle.id}, values):
        await wake_lines_of(session, {*circle.member_ids, *(before or ())})


async def keep_link(session: AsyncSession, link: LinkState, *, now: datetime) -> None:
    """A link changed; when the last one with a peer has ended, every copy of that peer goes."""
    values = {"peer_id": link.peer_id, "peer_name": link.peer_name, "status": link.status, "version": link.version}
    newest = await _keep_newest(session, links, {"link_id": link.link_id}, {**values, "changed_at": now})
    if newest and link.status == "ended" and link.peer_id and not await queries.is_linked(session, link.peer_id):
        await end_with_peer(session, link.peer_id, now=now)
        await forget_peer(session, link.peer_id)


async def forget_peer(session: AsyncSession, peer_id: str) -> None:
    """Delete every copy of what that peer owns."""
    for copies in (offers, peer_resources, peer_busy):
        await session.execute(sa.delete(copies).where(copies.c.origin == peer_id))


async def _hand_over(session: AsyncSession, owner_id: UUID, now: datetime) -> None:
    waiting = sa.select(Booking).where(
        bookings.c.owner_member_id == owner_id, bookings.c.status == "pending", sa.not_(bookings.c.private)
    )
    found = (await session.execute(waiting.order_by(bookings.c.id).with_for_update())).scalars().all()
    what = "handed_to_coordinators"
    await tell_each_or_together(
        session, found, lambda one: one.hand_to_coordinators(now=now), as_one=SeriesRequested, what=what
    )


async def _keep_offer(session: AsyncSession, **values: Any) -> bool:
    key = {"origin": values.pop("origin"), "id": values.pop("id")}
    return await _keep_newest(session, offers, key, values)


async def _keep_newest(session: AsyncSession, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
    """Insert or replace unless as new a version is there. Says whether it did.

    Peers' things compare (epoch, version), then offers whether they are published, and the rest when it was said:
    the same version said again after a withdrawal must outlive that withdrawal.
    """
    put = insert(table).values({**key, **values})
    order = [name for name in ("epoch", "version", "published", "said_at") if name in table.c]
    newer = sa.tuple_(*(put.excluded[name] for name in order)) > sa.tuple_(*(table.c[name] for name in order))
    put = put.on_conflict_do_update(
        index_elements=list(key), set_={name: put.excluded[name] for name in values}, where=newer
    )
    return (await session.execute(put.returning(*(table.c[name] for name in key)))).first() is not None

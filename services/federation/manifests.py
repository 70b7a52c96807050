"""Our manifest for each peer: all that we share with it, in pages by range of ids, and its members' open bookings."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import BorderBookingAnswered
from contracts.link import (
    BookingLine,
    BookingsTold,
    ManifestLine,
    ManifestPageAsked,
    ManifestPageTold,
    ManifestTold,
    PageDigest,
    ThingsAsked,
)
from services.federation import public_stream, tables
from services.federation.copies import Line, digest_of
from services.federation.domain import OPEN_ANSWERS
from services.federation.saying import say
from services.federation.tables import bookings_abroad, guest_bookings, own_listings, shares, streams

PAGE = 1000
"""Lines of a page: about 120 KiB of the 200 that it may have."""

BOOKINGS_AT_ONCE = 1000
ASKED_AT_ONCE = 500
FIRST_ID = UUID(int=0)

T = TypeVar("T")


async def tell(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """Say the manifest's root and the open bookings."""
    await say(session, link, await _root(session, link))
    for some in _batched(await _open_bookings(session, link), BOOKINGS_AT_ONCE):
        await say(session, link, BookingsTold(lines=list(some)))
    values: dict[str, Any] = {"manifest_at": now, "manifest_wanted": False}
    await session.execute(sa.update(streams).where(streams.c.link_id == link["id"]).values(**values))


async def tell_public(session: AsyncSession, link: sa.RowMapping) -> None:
    """Say to one peer what all we share with everybody."""
    ours = await public_stream.ours(session)
    if ours is not None:
        root = await _root(session, ours)
        await say(session, link, root.model_copy(update={"public": True}))


async def _root(session: AsyncSession, link: sa.RowMapping) -> ManifestTold:
    """Exact as of our last number: the stream is held still."""
    as_of_seq = await _hold_still(session, link)
    lines = await _lines(session, link, FIRST_ID, None)
    pages = [list(page) for page in _batched(lines, PAGE)] or [[]]
    told = [
        PageDigest(first=page[0][0] if number else FIRST_ID, count=len(page), digest=digest_of(page))
        for number, page in enumerate(pages)
    ]
    return ManifestTold(as_of_seq=as_of_seq, count=len(lines), pages=told)


async def tell_page(session: AsyncSession, link: sa.RowMapping, asked: ManifestPageAsked) -> None:
    """Say the lines of a range, of what is for this peer or for everybody; in several parts when there are many."""
    spoken = await public_stream.ours(session) if asked.public else link
    if spoken is None:
        return
    as_of_seq = await _hold_still(session, spoken)
    lines = await _lines(session, spoken, asked.first, asked.until)
    parts = [list(part) for part in _batched(lines, PAGE)] or [[]]
    begins = [asked.first, *(part[0][0] for part in parts[1:])]
    for part, first, until in zip(parts, begins, [*begins[1:], asked.until], strict=True):
        told = [ManifestLine(id=line[0], listing=line[1], resource=line[2], busy=line[3]) for line in part]
        page = ManifestPageTold(as_of_seq=as_of_seq, first=first, until=until, lines=told, public=asked.public)
        await say(session, link, page)


async def want(session: AsyncSession, link_id: UUID) -> None:
    """Have the manifest told soon."""
    await session.execute(sa.update(streams).where(streams.c.link_id == link_id).values(manifest_wanted=True))
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))


async def note_what_is_asked(session: AsyncSession, link: sa.RowMapping, asked: ThingsAsked) -> None:
    """Listings are said again by `sharing`, each in a transaction of its own; answers about bookings at once."""
    known = sa.select(sa.literal(link["id"]), own_listings.c.id, sa.literal(0), sa.true()).where(
        own_listings.c.id.in_(asked.listings[:ASKED_AT_ONCE])
    )
    columns = ["link_id", "thing_id", "listing_version", "asked"]
    # a thing that was never shared with this peer stays withdrawn from it
    named = insert(shares).from_select(columns, known)
    key = [shares.c.link_id, shares.c.thing_id]
    await session.execute(named.on_conflict_do_update(index_elements=key, set_={"asked": True}))
    await say_bookings_again(session, link, asked.bookings[:ASKED_AT_ONCE])
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))


async def say_bookings_again(session: AsyncSession, link: sa.RowMapping, booking_ids: Sequence[UUID] | None) -> None:
    """Say our last answers about bookings of that peer's members (None: about all that are open)."""
    query = sa.select(guest_bookings.c.answer).where(
        guest_bookings.c.peer_id == link["peer_id"], guest_bookings.c.answer.is_not(None)
    )
    if booking_ids is None:
        query = query.where(guest_bookings.c.status.in_(OPEN_ANSWERS))
    else:
        query = query.where(guest_bookings.c.booking_id.in_(booking_ids))
    for answer in (await session.execute(query.order_by(guest_bookings.c.booking_id))).scalars().all():
        await say(session, link, BorderBookingAnswered.model_validate_json(answer))


async def bookings_behind(session: AsyncSession, link: sa.RowMapping, told: BookingsTold) -> list[UUID]:
    """Our members' bookings there of which we have heard less than the peer says that it told us."""
    versions = {line.id: line.version for line in told.lines}
    query = sa.select(bookings_abroad.c.booking_id, bookings_abroad.c.version).where(
        bookings_abroad.c.peer_id == link["peer_id"], bookings_abroad.c.booking_id.in_(versions)
    )
    rows = (await session.execute(query)).all()
    return [row.booking_id for row in rows if row.version < versions[row.booking_id]][:ASKED_AT_ONCE]


async def _hold_still(session: AsyncSession, link: sa.RowMapping) -> int:
    query = sa.select(streams.c.seq).where(streams.c.link_id == link["id"]).with_for_update()
    return (await session.execute(query)).scalar_one()


async def _lines(session: AsyncSession, link: sa.RowMapping, first: UUID, until: UUID | None) -> list[Line]:
    columns = (shares.c.thing_id, shares.c.listing_version, shares.c.resource_version, shares.c.busy_version)
    query = sa.select(*columns).where(
        shares.c.link_id == link["id"],
        sa.not_(shares.c.withdrawn),
        shares.c.listing_version > 0,
        shares.c.thing_id >= first,
    )
    if until is not None:
        query = query.where(shares.c.thing_id < until)
    return [(row[0], row[1], row[2], row[3]) for row in (await session.execute(query.order_by(shares.c.thing_id)))]


async def _open_bookings(session: AsyncSession, link: sa.RowMapping) -> list[BookingLine]:
    query = sa.select(guest_bookings.c.booking_id, guest_bookings.c.version, guest_bookings.c.status).where(
        guest_bookings.c.peer_id == link["peer_id"], guest_bookings.c.status.in_(OPEN_ANSWERS)
    )
    rows = (await session.execute(query.order_by(guest_bookings.c.booking_id))).all()
    return [BookingLine(id=row.booking_id, version=row.version, status=row.status) for row in rows]


def _batched(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))

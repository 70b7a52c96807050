"""Which copies of a peer's things our services hold: noted as they pass, compared with the peer's manifest, ended.

Every copy has an end: what the manifest lacks dies, and what nobody has vouched for during a lease dies too.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import ListingGone
from contracts.link import ManifestPageTold, ManifestTold
from services.chassis import outbox
from services.federation.mending_tables import copies
from services.federation.tables import links, positions

GENERATIONS = 1_000_000
ENDED_AT_ONCE = 500
PAGES_AT_ONCE = 200

Line = tuple[UUID, int, int, int]
"""A thing and its versions: listing, how it is booked, busy times."""


def epoch_inside(epoch: int, generation: int) -> int:
    """By what our services order what a peer says: `generation` counts how often copies died here without its word."""
    return epoch * GENERATIONS + generation


def digest_of(lines: Iterable[Line]) -> str:
    """The same on both sides for the same lines, which are in the order of their ids."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(("{}:{}:{}:{}\n".format(*line)).encode())
    return digest.hexdigest()


async def new_generation(session: AsyncSession, link_id: UUID) -> int:
    """Copies have changed, or died, without a new version: what our services hear next is newer all the same."""
    higher = sa.update(positions).where(positions.c.link_id == link_id).values(generation=positions.c.generation + 1)
    return (await session.execute(higher.returning(positions.c.generation))).scalar_one()


async def held(
    session: AsyncSession, link_id: UUID, first: UUID | None = None, until: UUID | None = None
) -> list[Line]:
    """What our services hold of a link's things, by id; `until` is not included."""
    columns = (copies.c.thing_id, copies.c.listing_version, copies.c.resource_version, copies.c.busy_version)
    query = sa.select(*columns).where(_alive(link_id, first, until)).order_by(copies.c.thing_id)
    return [(row[0], row[1], row[2], row[3]) for row in (await session.execute(query)).all()]


async def count(session: AsyncSession, link_id: UUID) -> int:
    """How many there are, those too of which the peer tells everybody."""
    return (await session.execute(sa.select(counted(sa.literal(link_id, sa.Uuid))))).scalar_one()


def counted(link_id: sa.ColumnElement[UUID]) -> sa.ScalarSelect[int]:
    """The same as part of a query."""
    heard = links.alias("heard")
    beside = sa.select(heard.c.id).where(heard.c.kind == "heard", heard.c.via == link_id).correlate(links)
    mine = sa.or_(copies.c.link_id == link_id, copies.c.link_id.in_(beside))
    things = sa.select(sa.func.count(copies.c.thing_id.distinct())).where(mine, sa.not_(copies.c.gone))
    return things.correlate(links).scalar_subquery()


def _alive(link_id: UUID, first: UUID | None, until: UUID | None) -> sa.ColumnElement[bool]:
    terms = [copies.c.link_id == link_id, sa.not_(copies.c.gone)]
    terms += [copies.c.thing_id >= first] if first else []
    terms += [copies.c.thing_id < until] if until else []
    return sa.and_(*terms)


async def differing_pages(
    session: AsyncSession, link_id: UUID, told: ManifestTold, *, now: datetime
) -> list[tuple[UUID, UUID | None]]:
    """The ranges in which we hold something else than the peer shares; what we hold in the others is vouched for.

    At most 200 of them: the rest is found with the next manifest.
    """
    lines = await held(session, link_id)
    ids = [line[0] for line in lines]
    differing: list[tuple[UUID, UUID | None]] = []
    ends: list[UUID | None] = [*(page.first for page in told.pages[1:]), None]
    for page, until in zip(told.pages, ends, strict=False):
        mine = lines[bisect_left(ids, page.first) : None if until is None else bisect_left(ids, until)]
        if (len(mine), digest_of(mine)) == (page.count, page.digest):
            statement = sa.update(copies).where(_alive(link_id, page.first, until)).values(vouched_at=now)
            await session.execute(statement)
        elif len(differing) < PAGES_AT_ONCE:
            differing.append((page.first, until))
    return differing


async def compare_page(
    session: AsyncSession, link: sa.RowMapping, told: ManifestPageTold, *, now: datetime
) -> tuple[list[UUID], list[UUID]]:
    """What is in the page and not as we hold it, and what we hold that is not in it (to be dropped)."""
    mine = {line[0]: line for line in await held(session, link["id"], told.first, told.until)}
    theirs = {line.id: (line.id, line.listing, line.resource, line.busy) for line in told.lines}
    shared = sa.and_(_alive(link["id"], told.first, told.until), copies.c.thing_id.in_(theirs))
    await session.execute(sa.update(copies).where(shared).values(vouched_at=now))
    lacking = [thing_id for thing_id, line in theirs.items() if mine.get(thing_id) != line]
    if link["kind"] == "heard":
        told_there = await _take_over(
            session, link, [theirs[thing_id] for thing_id in lacking], told.as_of_seq, now=now
        )
        lacking = [thing_id for thing_id in lacking if thing_id not in told_there]
    dead = [thing_id for thing_id in mine if thing_id not in theirs]
    if dead and link["kind"] == "heard":
        # a page that came on the link does not know what the public stream has said since
        since = sa.and_(copies.c.epoch == await _epoch_of(session, link), copies.c.seq > told.as_of_seq)
        newer = sa.select(copies.c.thing_id).where(copies.c.link_id == link["id"], copies.c.thing_id.in_(dead), since)
        said_since = set((await session.execute(newer)).scalars().all())
        dead = [thing_id for thing_id in dead if thing_id not in said_since]
    return lacking, dead


async def _epoch_of(session: AsyncSession, link: sa.RowMapping) -> int:
    query = sa.select(positions.c.epoch).where(positions.c.link_id == link["id"])
    return (await session.execute(query)).scalar_one_or_none() or 0  # 0: nothing of it was heard yet


async def _take_over(
    session: AsyncSession, heard: sa.RowMapping, lines: Sequence[Line], as_of_seq: int, *, now: datetime
) -> set[UUID]:
    """Of a public manifest: the things that the origin has told us, in these versions, partly or wholly on our link."""
    both = sa.and_(copies.c.link_id.in_([heard["id"], heard["via"]]), sa.not_(copies.c.gone))
    newest = [sa.func.max(copies.c[name]) for name in ("listing_version", "resource_version", "busy_version")]
    query = sa.select(copies.c.thing_id, *newest).group_by(copies.c.thing_id)
    epoch = await _epoch_of(session, heard)
    wanted = {line[0]: line for line in lines}
    taken: set[UUID] = set()
    for row in (await session.execute(query.where(both, copies.c.thing_id.in_(wanted)))).all():
        line = wanted[row[0]]
        if tuple(row) != line:
            continue
        taken.add(row[0])
        values = {"listing_version": line[1], "resource_version": line[2], "busy_version": line[3], "gone": False}
        values |= {"vouched_at": now, "seq": as_of_seq, "epoch": epoch}
        kept = insert(copies).values(link_id=heard["id"], thing_id=row[0], **values)
        key = [copies.c.link_id, copies.c.thing_id]
        await session.execute(kept.on_conflict_do_update(index_elements=key, set_=values))
    return taken


async def drop(session: AsyncSession, link: sa.RowMapping, things: Sequence[UUID]) -> int | None:
    """End copies without the peer's own withdrawal. Returns the new generation of what is inside, None without any.

    They may come back as the same version: our services order by the generation first.
    """
    if not things:
        return None
    relation_id = link["via"] if link["kind"] == "heard" else link["id"]
    generation = await new_generation(session, relation_id)
    known_epoch = sa.select(positions.c.epoch).where(positions.c.link_id == relation_id)
    dying = await _without_other_word(session, link, things)
    # version 0: it is no tombstone of the peer's, and refuses nothing
    buried = {"gone": True, "listing_version": 0, "resource_version": 0, "busy_version": 0}
    here = sa.and_(copies.c.link_id == link["id"], copies.c.thing_id.in_(things))
    elsewhere = sa.and_(copies.c.link_id.in_(_both_streams(relation_id)), copies.c.thing_id.in_(dying))
    await session.execute(sa.update(copies).where(sa.or_(here, elsewhere)).values(**buried))
    said_by = {"origin": link["peer_id"], "origin_name": link["peer_name"]}
    epoch = epoch_inside((await session.execute(known_epoch)).scalar_one(), generation)
    await outbox.add(session, *(ListingGone(**said_by, epoch=epoch, id=thing_id, version=0) for thing_id in dying))
    return generation


def _both_streams(relation_id: UUID) -> sa.Select[tuple[UUID]]:
    """The link with a peer, and its public stream if we have heard of it."""
    return sa.select(links.c.id).where(
        sa.or_(links.c.id == relation_id, sa.and_(links.c.kind == "heard", links.c.via == relation_id))
    )


async def _without_other_word(session: AsyncSession, link: sa.RowMapping, things: Sequence[UUID]) -> list[UUID]:
    """Those of which the origin's other stream does not tell us as much or more: they die inside."""
    relation_id = link["via"] if link["kind"] == "heard" else link["id"]
    here, there = copies.alias("here"), copies.alias("there")
    told = sa.select(here.c.thing_id).join(there, there.c.thing_id == here.c.thing_id)
    told = told.where(here.c.link_id == link["id"], here.c.thing_id.in_(things))
    told = told.where(there.c.link_id.in_(_both_streams(relation_id)), there.c.link_id != link["id"])
    told = told.where(sa.not_(there.c.gone), there.c.listing_version >= here.c.listing_version)
    known = set((await session.execute(told)).scalars().all())
    return [thing_id for thing_id in things if thing_id not in known]


async def end_leases(session: AsyncSession, link: sa.RowMapping, *, before: datetime) -> int:
    """End copies that were last vouched for before `before` (aware UTC), 500 at once. Returns how many."""
    relation_id = link["via"] if link["kind"] == "heard" else link["id"]
    await session.execute(sa.select(positions).where(positions.c.link_id == relation_id).with_for_update())
    query = sa.select(copies.c.thing_id).where(_alive(link["id"], None, None), copies.c.vouched_at < before)
    over = (await session.execute(query.order_by(copies.c.thing_id).limit(ENDED_AT_ONCE))).scalars().all()
    await drop(session, link, over)
    return len(over)

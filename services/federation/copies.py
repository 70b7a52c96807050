"""Which copies of a peer's things our services hold: noted as they pass, compared with the peer's manifest, ended.

Every copy has an end: what the manifest lacks dies, and what nobody has vouched for during a lease dies too.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import ListingGone
from contracts.link import ManifestPageTold, ManifestTold
from services.chassis import outbox
from services.federation.mending_tables import copies
from services.federation.tables import positions

GENERATIONS = 1_000_000
ENDED_AT_ONCE = 500

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
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(copies).where(_alive(link_id, None, None))
    return (await session.execute(query)).scalar_one()


def _alive(link_id: UUID, first: UUID | None, until: UUID | None) -> sa.ColumnElement[bool]:
    terms = [copies.c.link_id == link_id, sa.not_(copies.c.gone)]
    terms += [copies.c.thing_id >= first] if first else []
    terms += [copies.c.thing_id < until] if until else []
    return sa.and_(*terms)


async def differing_pages(
    session: AsyncSession, link_id: UUID, told: ManifestTold, *, now: datetime
) -> list[tuple[UUID, UUID | None]]:
    """The ranges in which we hold something else than the peer shares; what we hold in the others is vouched for."""
    lines = await held(session, link_id)
    differing: list[tuple[UUID, UUID | None]] = []
    ends: list[UUID | None] = [*(page.first for page in told.pages[1:]), None]
    for page, until in zip(told.pages, ends, strict=False):
        mine = [line for line in lines if line[0] >= page.first and (until is None or line[0] < until)]
        if (len(mine), digest_of(mine)) == (page.count, page.digest):
            statement = sa.update(copies).where(_alive(link_id, page.first, until)).values(vouched_at=now)
            await session.execute(statement)
        else:
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
    return lacking, [thing_id for thing_id in mine if thing_id not in theirs]


async def drop(session: AsyncSession, link: sa.RowMapping, things: Sequence[UUID]) -> int | None:
    """End copies without the peer's own withdrawal. Returns the new generation of what is inside, None without any.

    They may come back as the same version: our services order by the generation first.
    """
    if not things:
        return None
    generation = await new_generation(session, link["id"])
    known_epoch = sa.select(positions.c.epoch).where(positions.c.link_id == link["id"])
    buried = sa.update(copies).where(copies.c.link_id == link["id"], copies.c.thing_id.in_(things))
    # version 0: it is no tombstone of the peer's, and refuses nothing
    buried = buried.values(gone=True, listing_version=0, resource_version=0, busy_version=0)
    said_by = {"origin": link["peer_id"], "origin_name": link["peer_name"]}
    epoch = epoch_inside((await session.execute(known_epoch)).scalar_one(), generation)
    await session.execute(buried)
    await outbox.add(session, *(ListingGone(**said_by, epoch=epoch, id=thing_id, version=0) for thing_id in things))
    return generation


async def end_leases(session: AsyncSession, link: sa.RowMapping, *, before: datetime) -> int:
    """End copies that were last vouched for before `before` (aware UTC), 500 at once. Returns how many."""
    await session.execute(sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update())
    query = sa.select(copies.c.thing_id).where(_alive(link["id"], None, None), copies.c.vouched_at < before)
    over = (await session.execute(query.order_by(copies.c.thing_id).limit(ENDED_AT_ONCE))).scalars().all()
    await drop(session, link, over)
    return len(over)

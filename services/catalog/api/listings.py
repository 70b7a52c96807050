"""Publish, change, withdraw, read and browse listings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from services.catalog import queries
from services.catalog.commands import listings
from services.catalog.forms import ListingChange, ListingForm
from services.catalog.kinds import KINDS
from services.catalog.queries import Wanted
from services.catalog.views import KindView, ListingView, Status, own_view
from services.chassis.auth import CurrentMember, MaybeMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.idempotency import OnceDep
from services.chassis.paging import Limit, Page
from services.chassis.problems import NotSignedIn

router = APIRouter()

Origin = Annotated[str | None, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=500)]


async def _wanted(
    *,
    side: Side | None = None,
    kind: Kind | None = None,
    origin: Origin = None,
    status: Status | None = None,
    mine: bool = False,
) -> Wanted:
    return Wanted(side=side, kind=kind, origin=origin, status=status, mine=mine)


WantedDep = Annotated[Wanted, Depends(_wanted)]


@router.post("/listings", status_code=201)
async def publish_listing(
    form: ListingForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, once: OnceDep
) -> ListingView:
    """Publish an offer or a need."""

    async def publish(session: AsyncSession) -> ListingView:
        async def make() -> ListingView:
            row = await listings.publish(session, form, by=actor, now=clock.now())
            return own_view(row, actor, set())

        return await once(session, actor.id, form, ListingView, make)

    return await db.run(publish)


@router.put("/listings/{listing_id}")
async def change_listing(
    listing_id: UUID, form: ListingChange, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> ListingView:
    """Change a listing, or bring one back that had ended. 409 when it was changed after it was read."""

    async def change(session: AsyncSession) -> ListingView:
        row = await listings.change(session, listing_id, form, by=actor, now=clock.now())
        return own_view(row, actor, await queries.circles_of(session, actor))

    return await db.run(change)


@router.post("/listings/{listing_id}/withdraw")
async def withdraw_listing(listing_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> ListingView:
    """Take a listing out of the catalogue, here and at the peers that have a copy."""

    async def withdraw(session: AsyncSession) -> ListingView:
        row = await listings.withdraw(session, listing_id, by=actor, now=clock.now())
        return own_view(row, actor, await queries.circles_of(session, actor))

    return await db.run(withdraw)


@router.get("/listings/{listing_id}")
async def read_listing(
    listing_id: UUID, actor: MaybeMember, db: DatabaseDep, clock: ClockDep, origin: Origin = None
) -> ListingView:
    """One listing: ours, or (`origin`: a peer's instance id) a copy. 410 once it is gone; its editors still read it."""
    async with db.reading() as session:
        return await queries.listing(session, listing_id, origin, actor=actor, now=clock.now())


@router.get("/listings")
async def browse_listings(
    *,
    wanted: WantedDep,
    actor: MaybeMember,
    db: DatabaseDep,
    clock: ClockDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListingView]:
    """What the reader may see, ours before those of peers, the newest first.

    `mine`: the reader's own and those of their circles, ended ones too. `origin`: "ours" or a peer's instance id.
    """
    if wanted.mine and actor is None:
        raise NotSignedIn
    async with db.reading() as session:
        return await queries.browse(session, wanted, actor=actor, now=clock.now(), cursor=cursor, limit=limit)


@router.get("/kinds")
async def read_kinds() -> list[KindView]:
    """The kinds of offers and needs, with their words."""
    return [KindView(kind=kind, fr=text.fr, nl=text.nl, en=text.en) for kind, text in KINDS.items()]

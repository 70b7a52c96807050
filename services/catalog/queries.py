"""Reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from services.catalog import audience
from services.catalog.domain import ListingGone
from services.catalog.tables import copies, imports, listings
from services.catalog.views import ListingView, Status, copy_view, own_view
from services.chassis import paging
from services.chassis.auth import Actor
from services.chassis.paging import Page
from services.chassis.problems import FieldError, InvalidFields, NotFound, Text

OURS = "ours"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a list should show; None leaves it open. `origin`: "ours", or a peer's instance id."""

    side: Side | None = None
    kind: Kind | None = None
    origin: str | None = None
    status: Status | None = None
    mine: bool = False


async def circles_of(session: AsyncSession, actor: Actor | None) -> set[UUID]:
    """The circles that the reader is in; none for somebody without an account."""
    return set((await session.execute(audience.circles_of(actor))).scalars()) if actor else set()


async def listing(
    session: AsyncSession, listing_id: UUID, origin: str | None, *, actor: Actor | None, now: datetime
) -> ListingView:
    """One listing. Raises NotFound when there is none for `actor`, ListingGone when there was."""
    if origin is not None:
        return await _copy(session, listing_id, origin, actor=actor, now=now)
    stands = audience.standing(now).label("stands")
    found = sa.select(listings, stands).where(listings.c.id == listing_id, audience.meant_for(actor))
    row = (await session.execute(found)).mappings().one_or_none()
    if row is None:
        raise NotFound
    view = own_view(row, actor, await circles_of(session, actor))
    if not row["stands"] and not view.may_edit:
        raise ListingGone
    return view


async def _copy(
    session: AsyncSession, listing_id: UUID, origin: str, *, actor: Actor | None, now: datetime
) -> ListingView:
    visible = audience.copies_visible_to(actor, now).label("visible")
    found = sa.select(copies, visible).where(copies.c.origin == origin, copies.c.id == listing_id)
    row = (await session.execute(found)).mappings().one_or_none()
    if row is None or (actor is None and not row["visible"]):
        raise NotFound
    if not row["visible"]:
        raise ListingGone
    return copy_view(row)


async def browse(
    session: AsyncSession, wanted: Wanted, *, actor: Actor | None, now: datetime, cursor: str | None, limit: int
) -> Page[ListingView]:
    """A page of listings: ours before those of peers, the newest first."""
    keys = _keys(wanted, actor, now).subquery()
    chosen = sa.select(keys).order_by(keys.c.foreign, keys.c.changed_at.desc(), keys.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        chosen = chosen.where(_after(keys, cursor))
    found = (await session.execute(chosen)).mappings().all()
    shown = found[:limit]
    views = await _views(session, [(row["origin"], row["id"]) for row in shown], actor)
    following = None
    if len(found) > limit:
        last = shown[-1]
        following = paging.encode(last["foreign"], last["changed_at"].isoformat(), str(last["id"]))
    return Page(items=views, next=following)


def _keys(wanted: Wanted, actor: Actor | None, now: datetime) -> Any:
    """A select of (foreign, origin, id, changed_at): all that is wanted and visible."""
    own = sa.select(
        sa.literal(0).label("foreign"), sa.literal("").label("origin"), listings.c.id, listings.c.changed_at
    )
    peers = sa.select(sa.literal(1).label("foreign"), copies.c.origin, copies.c.id, copies.c.changed_at)
    if wanted.mine and actor is not None:
        own = own.where(audience.owned_by(actor))
        own = own.where(listings.c.status == wanted.status) if wanted.status else own
    else:
        own = own.where(audience.visible_to(actor, now))
    peers = peers.where(audience.copies_visible_to(actor, now))
    for name in ("side", "kind"):
        if (value := getattr(wanted, name)) is not None:
            own, peers = own.where(listings.c[name] == value), peers.where(copies.c[name] == value)
    if wanted.mine or wanted.origin == OURS:
        return own
    if wanted.origin is not None:
        return peers.where(copies.c.origin == wanted.origin)
    return sa.union_all(own, peers)


def _after(keys: sa.Subquery, cursor: str) -> sa.ColumnElement[bool]:
    try:
        foreign, changed_at, listing_id = paging.decode(cursor, 3)
        foreign, last = int(foreign), (datetime.fromisoformat(str(changed_at)), UUID(str(listing_id)))
    except (TypeError, ValueError) as error:
        text = Text(
            fr="Page inconnue : revenez au début.", en="Unknown page: go back to the start.", nl="Onbekende pagina."
        )
        raise InvalidFields(FieldError("cursor", "invalid", text)) from error
    earlier = sa.tuple_(keys.c.changed_at, keys.c.id) < sa.tuple_(
        sa.literal(last[0], sa.DateTime(timezone=True)), sa.literal(last[1], sa.Uuid)
    )
    return sa.or_(keys.c.foreign > foreign, sa.and_(keys.c.foreign == foreign, earlier))


async def _views(session: AsyncSession, keys: list[tuple[str, UUID]], actor: Actor | None) -> list[ListingView]:
    """The views of (origin, id) pairs, in their order; `origin` is "" for ours."""
    ours = [listing_id for origin, listing_id in keys if not origin]
    theirs = [key for key in keys if key[0]]
    found: dict[tuple[str, UUID], ListingView] = {}
    if ours:
        circles = await circles_of(session, actor)
        for row in (await session.execute(sa.select(listings).where(listings.c.id.in_(ours)))).mappings():
            found["", row["id"]] = own_view(row, actor, circles)
    if theirs:
        of_peers = sa.select(copies).where(sa.tuple_(copies.c.origin, copies.c.id).in_(theirs))
        for row in (await session.execute(of_peers)).mappings():
            found[row["origin"], row["id"]] = copy_view(row)
    return [found[key] for key in keys]


async def for_export(
    session: AsyncSession, wanted: Wanted, *, actor: Actor, now: datetime, after: UUID | None, limit: int
) -> Sequence[sa.RowMapping]:
    """Our standing listings that `actor` may see, or only their own, oldest first: `limit` of them after one id."""
    chosen = sa.select(listings).where(audience.visible_to(actor, now)).order_by(listings.c.id).limit(limit)
    if after is not None:
        chosen = chosen.where(listings.c.id > after)
    if wanted.mine:
        chosen = chosen.where(audience.owned_by(actor))
    if wanted.side is not None:
        chosen = chosen.where(listings.c.side == wanted.side)
    return (await session.execute(chosen)).mappings().all()


async def import_job(session: AsyncSession, import_id: UUID) -> sa.RowMapping:
    """An import and how far it is. Raises NotFound."""
    found = await session.execute(sa.select(imports).where(imports.c.id == import_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    return row

"""For our coordinators: what goes to each peer, who still holds what, limits, blocks, coming back from a backup."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.chassis import paging
from services.chassis.auth import Administrator, Coordinator
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import NotFound
from services.federation import limiting, linking, own_keys, queries, recovery, saying, unclaimed
from services.federation.api import BorderDep
from services.federation.views import (
    BlockView,
    CallOff,
    KeyView,
    Limits,
    LinkView,
    RecoveryView,
    SeenView,
    ToldView,
    UnclaimedView,
)

router = APIRouter(tags=["federation"])

Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("/links/{link_id}/catalogue")
async def see_our_catalogue_as_this_peer_sees_it(
    link_id: UUID, _actor: Coordinator, db: DatabaseDep, cursor: Cursor = None, limit: paging.Limit = 50
) -> paging.Page[SeenView]:
    """Every listing that the peer may know, with exactly the fields that it is told."""
    async with db.reading() as session:
        link = await queries.one_link(session, link_id)
        if link is None:
            raise NotFound
        after = paging.decode_id(cursor) if cursor else None
        rows = await queries.own_shared(session, after=after, limit=limit + 1)
    following = paging.encode(str(rows[limit - 1]["id"])) if len(rows) > limit else None
    seen = [SeenView(listing=saying.form_for(row, link)) for row in rows[:limit] if saying.is_for(row, link)]
    return paging.Page(items=seen, next=following)


@router.get("/links/{link_id}/copies")
async def list_who_holds_what(
    link_id: UUID, _actor: Coordinator, db: DatabaseDep, cursor: Cursor = None, limit: paging.Limit = 50
) -> paging.Page[ToldView]:
    """Our things of which the peer was told: whether it holds a copy, or has said that it deleted it."""
    after = paging.decode_id(cursor) if cursor else None
    async with db.reading() as session:
        rows = await queries.told_things(session, link_id, after=after, limit=limit + 1)
    following = paging.encode(str(rows[limit - 1]["thing_id"])) if len(rows) > limit else None
    return paging.Page(items=[ToldView.of(row) for row in rows[:limit]], next=following)


@router.put("/links/{link_id}/limits")
async def limit_link(link_id: UUID, form: Limits, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """What no longer may go is withdrawn from the peer, the rest is told again as it now may be."""
    async with db.transaction() as session:
        await limiting.limit(session, await linking.get_for_update(session, link_id), **form.model_dump())
    async with db.reading() as session:
        row = await queries.one_link(session, link_id)
    if row is None:
        raise NotFound
    return LinkView.of(row, now=clock.now())


@router.post("/links/{link_id}/block")
async def block_peer(link_id: UUID, actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> BlockView:
    """End the link if it lives, and make none with this cooperative again."""
    async with db.transaction() as session:
        link = await linking.get_for_update(session, link_id)
        await limiting.block(session, link, by=actor.name, now=clock.now())
        if link["status"] != "ended":
            await linking.end(session, link, reason="ended_by_us", tell=True, now=clock.now())
    return BlockView(peer_id=link["peer_id"], peer_name=link["peer_name"], blocked_by=actor.name, at=clock.now())


@router.get("/blocks")
async def list_blocks(_actor: Coordinator, db: DatabaseDep) -> list[BlockView]:
    """The cooperatives that are blocked."""
    async with db.reading() as session:
        return [BlockView.model_validate(dict(row)) for row in await queries.all_blocks(session)]


@router.delete("/blocks/{peer_id}", status_code=204)
async def lift_block(peer_id: str, _actor: Coordinator, db: DatabaseDep) -> None:
    """Links may be made again; none comes back by itself."""
    async with db.transaction() as session:
        await limiting.unblock(session, peer_id)


@router.get("/recovery")
async def read_recovery(_actor: Coordinator, db: DatabaseDep) -> RecoveryView:
    """Whether confirmations of shared things wait for peers, and for which."""
    async with db.reading() as session:
        current = await recovery.current(session)
        if current is None:
            return RecoveryView(recovering=False)
        silent = [link["peer_name"] for link in await queries.all_links(session) if link["recovery_asked_at"]]
    return RecoveryView(recovering=True, begun_at=current["begun_at"], begun_by=current["begun_by"], waiting_for=silent)


@router.post("/recovery", status_code=202)
async def declare_recovery(actor: Administrator, db: DatabaseDep, clock: ClockDep) -> RecoveryView:
    """This instance was restored from a backup: begin anew with every peer."""
    async with db.transaction() as session:
        await recovery.begin(session, by=actor.name, now=clock.now())
    return await read_recovery(actor, db)


@router.delete("/recovery", status_code=204)
async def end_recovery(actor: Administrator, db: DatabaseDep, clock: ClockDep) -> None:
    """Confirm again although not every peer has answered: what they might have handed back may clash."""
    async with db.transaction() as session:
        await recovery.end(session, by=actor.name, now=clock.now())


@router.get("/links/{link_id}/unclaimed")
async def list_bookings_of_people_forgotten(link_id: UUID, _actor: Coordinator, db: DatabaseDep) -> list[UnclaimedView]:
    """Bookings at this peer that stand there, of people of ours whom we do not know any more since a restore."""
    async with db.reading() as session:
        return await unclaimed.listed(session, link_id)


@router.post("/links/{link_id}/unclaimed/call-off", status_code=202)
async def call_off_bookings_of_people_forgotten(
    link_id: UUID, form: CallOff, _actor: Coordinator, db: DatabaseDep
) -> None:
    """Ask the peer to end these of those; its answers say what became of them."""
    async with db.transaction() as session:
        await unclaimed.call_off(session, await linking.get_for_update(session, link_id), form.booking_ids)


@router.get("/keys")
async def list_keys(_actor: Coordinator, db: DatabaseDep, border: BorderDep) -> list[KeyView]:
    """Our signing keys and which of them signs."""
    async with db.reading() as session:
        return [KeyView.of(row, signing=border.keys.signing_kid) for row in await own_keys.listed(session)]


@router.post("/keys/{kid}/revoke", status_code=202)
async def revoke_key(kid: str, _actor: Administrator, db: DatabaseDep, clock: ClockDep, border: BorderDep) -> None:
    """A key is in the wrong hands: another one signs from now on, and peers believe nothing further from this one."""
    async with db.transaction() as session:
        keys = await own_keys.revoke(session, border, kid, now=clock.now())
    border.keys = keys

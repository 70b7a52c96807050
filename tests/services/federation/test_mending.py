"""What a link does by itself: replay what was lost, compare what is held, end what nobody vouches for, receipts."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.catalog import ListingState, ListingWithdrawn
from contracts.federation import ListingGone, ListingReceived, PersonForgotten
from contracts.identity import MemberChanged, MemberState
from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.chassis.management import Management
from services.federation import stream
from services.federation.mending_tables import copies, erasures
from services.federation.tables import own_listings, positions, pseudonyms, sent_log, shares, streams
from tests.services.federation.pair import Pair, Post, eventually, listing, published

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def change(post: Post, *statements: sa.Executable) -> None:
    """Do something to the tables of one side, and have its loops look."""
    async with post.db.transaction() as session:
        for statement in statements:
            await session.execute(statement)
        await session.execute(sa.select(sa.func.pg_notify("links", "")))


async def lose_what_is_said(pair: Pair, link_id: UUID, offers: list[ListingState]) -> None:
    """Lille says `offers`, and somebody empties the queue before Namur has read it."""
    namur_id = (await pair.namur.link())["link_id"]
    await pair.namur.call("POST", f"/links/{namur_id}/pause")
    queue = names.out(str(link_id))
    vhost = names.border_vhost(pair.lille.instance.name)
    async with Management(pair.lille.instance.settings().secret("admin_broker_url")) as management:

        async def nobody_reads() -> bool:
            theirs = names.border_vhost(pair.namur.instance.name)
            return not await management.call("GET", "parameters", "shovel", theirs)

        await eventually(nobody_reads)
        for offer in offers:
            await pair.lille.say("catalog", published(offer))
        await eventually(lambda: _are_shared(pair.lille, {offer.id for offer in offers}))
        await eventually(lambda: _nothing_to_send(pair.lille))
        await management.call("DELETE", "queues", vhost, queue, "contents")
    await pair.namur.call("POST", f"/links/{namur_id}/resume")


async def _are_shared(post: Post, things: set[UUID]) -> bool:
    return things <= {row["thing_id"] for row in await post.rows(shares)}


async def _nothing_to_send(post: Post) -> bool:
    async with post.db.reading() as session:
        return (await session.execute(sa.text("SELECT count(*) FROM border_outbox"))).scalar_one() == 0


async def holds(post: Post, offers: list[ListingState]) -> bool:
    held = {row["thing_id"]: row["listing_version"] for row in await post.rows(copies) if not row["gone"]}
    return {offer.id: held.get(offer.id) for offer in offers} == {offer.id: offer.version for offer in offers}


async def is_gone(post: Post, offer: ListingState) -> bool:
    return [row["gone"] for row in await post.rows(copies) if row["thing_id"] == offer.id] == [True]


async def test_what_was_lost_on_the_way_is_replayed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PARKED_AT_MOST", 3)
    lille_id, _ = await pair.link()
    lost = [listing() for _ in range(12)]
    await lose_what_is_said(pair, lille_id, lost)
    after = listing()
    await pair.lille.say("catalog", published(after))
    await eventually(lambda: holds(pair.namur, [*lost, after]))
    place = (await pair.namur.rows(positions))[0]
    assert (place["applied_to"], place["gap_since"], place["refused"]) == (place["seen_to"], None, 0)


async def test_what_the_log_no_longer_has_is_said_plainly_and_repaired_by_the_manifest(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    lost = [listing() for _ in range(5)]
    await lose_what_is_said(pair, lille_id, lost)
    await change(pair.lille, sa.delete(sent_log))
    after = listing()
    await pair.lille.say("catalog", published(after))
    await eventually(lambda: holds(pair.namur, [*lost, after]))
    place = (await pair.namur.rows(positions))[0]
    assert (place["gap_since"], place["refused"]) == (None, 0)


async def test_two_gaps_at_once_do_not_wait_for_each_other(pair: Pair) -> None:
    lille_id, namur_id = await pair.link()
    # as if the last words of both had been lost, the other side's question among them
    for post, link_id in ((pair.lille, lille_id), (pair.namur, namur_id)):
        await change(post, sa.update(streams).where(streams.c.link_id == link_id).values(seq=streams.c.seq + 3))
    offer, theirs = listing(), listing()
    await pair.lille.say("catalog", published(offer))
    await pair.namur.say("catalog", published(theirs))
    await eventually(lambda: holds(pair.namur, [offer]))
    await eventually(lambda: holds(pair.lille, [theirs]))


async def test_copies_follow_the_manifest(pair: Pair) -> None:
    lille_id, namur_id = await pair.link()
    offers = [listing() for _ in range(3)]
    for offer in offers:
        await pair.lille.say("catalog", published(offer))
    await eventually(lambda: holds(pair.namur, offers))
    ghost: dict[str, Any] = {"link_id": namur_id, "thing_id": new_id(), "epoch": 1, "seq": 1}
    ghost |= {"listing_version": 1, "vouched_at": Clock().now()}
    async with pair.namur.ear("matching", ListingReceived) as heard, pair.namur.ear("matching", ListingGone) as gone:
        await change(
            pair.namur,
            sa.delete(copies).where(copies.c.thing_id == offers[0].id),
            sa.insert(copies).values(**ghost),
        )
        await change(pair.lille, sa.update(streams).where(streams.c.link_id == lille_id).values(manifest_wanted=True))
        assert (await gone()).id == ghost["thing_id"]
        while (await heard()).listing.id != offers[0].id:
            pass
    await eventually(lambda: holds(pair.namur, offers))


async def _let_grow_old(post: Post, link_id: UUID, thing_id: UUID) -> None:
    """Until cancelled: a page of the first manifest may still be on its way, and vouches for the copy."""
    long_ago = Clock().now() - timedelta(days=8)
    mine = sa.and_(copies.c.link_id == link_id, copies.c.thing_id == thing_id, sa.not_(copies.c.gone))
    while True:
        await change(post, sa.update(copies).where(mine).values(vouched_at=long_ago))
        await asyncio.sleep(0.5)


async def test_a_copy_dies_when_nobody_vouches_for_it_and_comes_back_with_the_peer(pair: Pair) -> None:
    lille_id, namur_id = await pair.link()
    offer = listing()
    async with pair.namur.ear("matching", ListingReceived) as heard, pair.namur.ear("matching", ListingGone) as gone:
        await pair.lille.say("catalog", published(offer))
        while (first := await heard()).listing.id != offer.id:
            pass
        async with asyncio.TaskGroup() as group:
            ageing = group.create_task(_let_grow_old(pair.namur, namur_id, offer.id))
            dead = await gone()
            ageing.cancel()
        assert (dead.id, dead.epoch > first.epoch) == (offer.id, True)
        await change(pair.lille, sa.update(streams).where(streams.c.link_id == lille_id).values(manifest_wanted=True))
        again = await heard()
        # (epoch, version) is what copies compare: the same version returns after its death
        assert (again.listing.id, again.listing.version, again.epoch) == (offer.id, offer.version, dead.epoch)


async def test_a_withdrawn_listing_does_not_come_back(pair: Pair) -> None:
    await pair.link()
    offer = listing(version=2)
    await pair.lille.say("catalog", published(offer))
    await eventually(lambda: holds(pair.namur, [offer]))
    await pair.lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=3, reason="withdrawn"))
    await eventually(lambda: is_gone(pair.namur, offer))
    await change(
        pair.lille,
        sa.delete(shares).where(shares.c.thing_id == offer.id),
        sa.update(own_listings).where(own_listings.c.id == offer.id).values(version=1),
    )
    await pair.lille.say("catalog", published(offer.model_copy(update={"version": 2})))

    async def refused() -> bool:
        return (await pair.namur.link())["refused"] == 1

    await eventually(refused)
    assert await is_gone(pair.namur, offer)


async def test_a_receipt_says_how_far_the_peer_is(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    offers = [listing() for _ in range(3)]
    for offer in offers:
        await pair.lille.say("catalog", published(offer))

    async def acknowledged() -> bool:
        told = {row["thing_id"]: row["seq"] for row in await pair.lille.rows(shares)}
        place = next(row for row in await pair.lille.rows(streams) if row["link_id"] == lille_id)
        there = {offer.id for offer in offers} <= told.keys()
        return there and max(told.values()) <= place["acked_to"] and place["peer_copies"] == len(told)

    await eventually(acknowledged)


async def test_who_has_left_is_forgotten_by_peers_and_that_is_acknowledged(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    gone, unknown = new_id(), new_id()
    row = {"member_id": gone, "peer_id": pair.namur.border.us, "pseudonym": f"p-{gone}"}
    await change(pair.lille, sa.insert(pseudonyms).values(**row))
    async with pair.namur.ear("booking", PersonForgotten) as forgotten:
        for member_id in (unknown, gone):
            state = MemberState(id=member_id, name="Ana", locale="fr", role="member", status="left", version=9)
            await pair.lille.say("identity", MemberChanged(member=state))
        assert (await forgotten()).pseudonym == row["pseudonym"]

    async def acknowledged() -> bool:
        told = await pair.lille.rows(erasures)
        return [(one["link_id"], one["acked_at"] is not None) for one in told] == [(lille_id, True)]

    await eventually(acknowledged)
    assert row["pseudonym"] not in {one["pseudonym"] for one in await pair.lille.rows(pseudonyms)}

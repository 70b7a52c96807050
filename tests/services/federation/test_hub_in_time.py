"""Over a hub, as time goes by: leases, a hub that is away for long, what it has lost of what it should pass on."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa

from contracts.catalog import ListingState, ListingWithdrawn
from services.chassis.clock import Clock
from services.federation import hub as hub_work
from services.federation import mending, receipts
from services.federation.mending_tables import copies
from services.federation.tables import border_outbox, links, positions, sent_log, shares, streams
from tests.servers import Servers
from tests.services.federation import pair
from tests.services.federation.around_a_hub import (
    PATIENCE,
    Region,
    a_region,
    holds_of,
    id_of_link,
    link_directly,
    link_of,
    link_through_hub,
    until_holds,
)
from tests.services.federation.pair import Post, eventually, listing, pause, published
from tests.services.federation.test_mending import change

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1500)]

LONG_AGO = timedelta(days=8)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Region]:
    """Lille and Namur through the hub; Lille and Gand directly, and both are members too."""
    async with a_region(servers, tmp_path_factory.mktemp("time")) as made:
        await link_through_hub(made.lille, made.namur)
        await link_directly(made.lille, made.gand)
        yield made


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair, "PATIENCE", PATIENCE)  # four posts on one machine
    monkeypatch.setattr(mending, "LONGEST_PAUSE", timedelta(seconds=5))
    monkeypatch.setattr(receipts, "PUBLIC_AT_MOST_EVERY", timedelta(0))


async def say(post: Post, *offers: ListingState) -> None:
    for offer in offers:
        await post.say("catalog", published(offer))


async def ways_of(post: Post, origin: Post) -> list[UUID]:
    """Our link with `origin`, and its public stream where it was heard."""
    return [
        row["id"] for row in await post.rows(links) if row["peer_id"] == origin.border.us and row["status"] != "ended"
    ]


async def nobody_vouches(post: Post, origin: Post) -> None:
    """As if `origin` had been silent for longer than a lease."""
    mine = copies.c.link_id.in_(await ways_of(post, origin))
    await change(post, sa.update(copies).where(mine).values(vouched_at=Clock().now() - LONG_AGO))


async def tells_its_manifests(post: Post) -> None:
    await change(post, sa.update(streams).values(manifest_wanted=True))


async def test_copies_that_came_through_the_hub_die_with_their_lease_and_come_back(region: Region) -> None:
    lille, namur, _ = region.members
    offers = [listing(title=f"À bail {scope}", scope=scope) for scope in ("peers", "public")]
    await say(lille, *offers)
    wanted = {one.id: 1 for one in offers}
    await until_holds(namur, lille, wanted)

    async def have_died() -> bool:  # a manifest on its way vouches for them once more
        await nobody_vouches(namur, lille)
        await asyncio.sleep(0.5)
        return await holds_of(namur, lille) == {}

    await eventually(have_died, seconds=PATIENCE)
    await tells_its_manifests(lille)
    await until_holds(namur, lille, wanted)


async def test_while_the_hub_is_away_direct_links_go_on_and_what_came_through_it_ends(region: Region) -> None:
    lille, namur, gand = region.members
    here, there = await holds_of(gand, lille), await holds_of(namur, lille)
    away = [await id_of_link(region.hub, member) for member in region.members]
    for link_id in away:
        await pause(region.hub, link_id)
    offers = [listing(title=f"Sans hub {scope}", scope=scope) for scope in ("peers", "public")]
    await say(lille, *offers)
    new = {one.id: 1 for one in offers}
    await until_holds(gand, lille, here | new)
    assert await holds_of(namur, lille) == there
    await nobody_vouches(namur, lille)
    silent = positions.c.link_id.in_(await ways_of(namur, lille))
    await change(namur, sa.update(positions).where(silent).values(last_received_at=Clock().now() - timedelta(hours=4)))
    await until_holds(namur, lille, {})
    assert (await link_of(namur, lille))["reason"] == "peer_silent"
    assert await holds_of(gand, lille) == here | new
    for link_id in away:
        await region.hub.call("POST", f"/links/{link_id}/resume")
    await tells_its_manifests(lille)
    await until_holds(namur, lille, there | new)
    assert (await link_of(namur, lille))["reason"] is None


async def until_said(post: Post, *things: ListingState) -> None:
    """All of it was said, and has left `post`."""

    async def is_said() -> bool:
        shared = {row["thing_id"] for row in await post.rows(shares)}
        return {one.id for one in things} <= shared and not await post.rows(border_outbox)

    await eventually(is_said, seconds=PATIENCE)


@contextlib.asynccontextmanager
async def the_hub_passes_nothing_on(
    region: Region, monkeypatch: pytest.MonkeyPatch, *lost: ListingState
) -> AsyncGenerator[None]:
    """What Lille says meanwhile, `lost` at least, the hub has read and not passed on."""
    swallowed: list[bytes] = []

    async def swallow(_session: Any, _link_id: UUID, *bodies: Any, **_bounds: Any) -> list[Any]:
        swallowed.extend(bodies[-1])
        return []

    async def are_lost() -> bool:
        return len(swallowed) > len(lost)

    with monkeypatch.context() as patched:
        patched.setattr(hub_work, "pass_on_boxes", swallow)
        patched.setattr(hub_work, "pass_on_public", swallow)
        yield
        await until_said(region.lille, *lost)
        await eventually(are_lost, seconds=PATIENCE)


@pytest.mark.parametrize("forgotten", [False, True], ids=["in the log", "forgotten"])
async def test_what_the_hub_has_lost_is_said_again(
    region: Region, monkeypatch: pytest.MonkeyPatch, *, forgotten: bool
) -> None:
    """Also where the log of its origin does not reach back so far: it says so, and they compare."""
    hub, (lille, namur, gand) = region.hub, region.members
    goes = listing(title="Retirée", scope="public")
    here, at_hub = await holds_of(namur, lille) | {goes.id: 1}, await holds_of(hub, lille) | {goes.id: 1}
    await say(lille, goes)
    await until_holds(namur, lille, here)
    await until_holds(hub, lille, at_hub)
    heard_before = {row["link_id"]: row["seq"] for row in await lille.rows(streams)}
    lost = [listing(title=f"Perdue {number}", scope=("peers", "public")[number % 2]) for number in range(6)]
    async with the_hub_passes_nothing_on(region, monkeypatch, *lost):
        await say(lille, *lost)
        await lille.say("catalog", ListingWithdrawn(id=goes.id, side="offer", version=9, reason="withdrawn"))
        wanted = {thing: version for thing, version in (at_hub | public_of(lost)).items() if thing != goes.id}
        await until_holds(hub, lille, wanted)  # it has read all that it lost
    if forgotten:
        await forget_what_was_said(lille, namur, since=heard_before)
    after = [listing(title="Après la perte", scope=scope) for scope in ("peers", "public")]
    await say(lille, *after)
    new = {one.id: 1 for one in [*lost, *after]}
    await until_holds(namur, lille, {thing: version for thing, version in (here | new).items() if thing != goes.id})
    assert (await link_of(namur, lille))["refused"] == 0

    async def nothing_is_missed() -> bool:  # also by one that is next to Lille, too, and hears all of it there
        places = [*await namur.rows(positions), *await gand.rows(positions)]
        return all(row["applied_to"] >= row["seen_to"] for row in places)

    await eventually(nothing_is_missed, seconds=PATIENCE)
    assert (await link_of(gand, lille))["refused"] == 0


async def forget_what_was_said(post: Post, peer: Post, *, since: dict[UUID, int]) -> None:
    """As if it were a month ago: what `post` has told everybody, and `peer`, after these numbers."""
    mine = [
        row["id"]
        for row in await post.rows(links)
        if row["status"] != "ended" and (row["kind"] == "public" or row["peer_id"] == peer.border.us)
    ]
    said = [sa.and_(sent_log.c.link_id == link_id, sent_log.c.seq > since[link_id]) for link_id in mine]
    await change(post, sa.delete(sent_log).where(sa.or_(*said)))


def public_of(things: list[ListingState]) -> dict[UUID, int]:
    return {one.id: one.version for one in things if one.audience.scope == "public"}

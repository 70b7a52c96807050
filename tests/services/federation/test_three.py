"""Three cooperatives, each linked with the others, one of them away for a while."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.catalog import Audience, ListingState, ListingWithdrawn
from services.federation.mending_tables import copies
from services.federation.tables import links, shares
from tests.servers import Servers
from tests.services.federation.pair import Line, Post, eventually, listing, pause, published
from tests.services.federation.running_posts import Wire, posts

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

PEOPLE = {"lille": "Léa", "namur": "Nora", "gand": "Griet"}
Three = tuple[Post, Post, Post]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Three]:
    async with posts(servers, tmp_path_factory.mktemp("three"), PEOPLE, Line(), Wire()) as (lille, namur, gand):
        for host, guest in ((lille, namur), (lille, gand), (namur, gand)):
            await _link(host, guest)
        yield lille, namur, gand


async def link_of(post: Post, peer: Post) -> Any:
    found = await post.call("GET", "/links")
    return next((one for one in found if one["peer_id"] == peer.border.us and one["status"] != "ended"), None)


async def _link(host: Post, guest: Post) -> None:
    code = (await host.call("POST", "/invitations", expect=201))["code"]
    await guest.call("POST", "/links", json={"code": code}, expect=201)
    await host.call("POST", f"/links/{(await link_of(host, guest))['link_id']}/confirm")

    async def active() -> bool:
        return {(await link_of(host, guest))["status"], (await link_of(guest, host))["status"]} == {"active"}

    await eventually(active, seconds=60)


async def holds_of(post: Post, origin: Post) -> set[Any]:
    """Ids of what `post` holds of `origin`."""
    mine = {row["id"] for row in await post.rows(links) if row["peer_id"] == origin.border.us}
    return {row["thing_id"] for row in await post.rows(copies) if row["link_id"] in mine and not row["gone"]}


async def test_one_that_was_away_ends_up_with_what_the_others_have(three: Three) -> None:
    lille, namur, gand = three
    before = [listing(title=f"Avant {number}") for number in range(5)]
    for offer in before:
        await lille.say("catalog", published(offer))
    await _both_hold(lille, [namur, gand], before)
    for peer in (lille, namur):
        await pause(gand, (await link_of(gand, peer))["link_id"])
    theirs = listing(title="Presse de Namur")
    only_namur = listing(audience=Audience(scope="peers", peer_ids=[namur.border.us]))
    while_away = [listing(title=f"Pendant {number}") for number in range(5)]
    await namur.say("catalog", published(theirs))
    for offer in (*while_away, only_namur):
        await lille.say("catalog", published(offer))
    for offer in before[:3]:
        await lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=2, reason="withdrawn"))
    left = [*before[3:], *while_away]
    await _both_hold(lille, [namur], [*left, only_namur])
    assert await holds_of(gand, lille) == {offer.id for offer in before}  # it is away: this is what it still has
    for peer in (lille, namur):
        await gand.call("POST", f"/links/{(await link_of(gand, peer))['link_id']}/resume")
    await _both_hold(lille, [gand], left)
    await _both_hold(namur, [gand, lille], [theirs])
    told = {row["thing_id"] for row in await lille.rows(shares) if row["link_id"] in await _links_with(lille, gand)}
    assert only_namur.id not in told
    for post in three:
        assert [one["refused"] for one in await post.call("GET", "/links")] == [0, 0]


async def test_blocking_one_leaves_the_link_with_the_other_alone(three: Three) -> None:
    lille, namur, gand = three
    await lille.call("POST", f"/links/{(await link_of(lille, gand))['link_id']}/block")

    async def ended_at_gand() -> bool:
        return await link_of(gand, lille) is None and await holds_of(gand, lille) == set()

    await eventually(ended_at_gand)
    offer = listing(title="Après")
    await lille.say("catalog", published(offer))

    async def arrives_in_namur() -> bool:
        return offer.id in await holds_of(namur, lille)

    await eventually(arrives_in_namur)
    assert await holds_of(gand, lille) == set()
    assert (await link_of(gand, namur))["status"] == "active"


async def _links_with(post: Post, peer: Post) -> set[Any]:
    return {row["id"] for row in await post.rows(links) if row["peer_id"] == peer.border.us}


async def _both_hold(origin: Post, holders: list[Post], offers: list[ListingState]) -> None:
    wanted = {offer.id for offer in offers}
    for holder in holders:

        async def equal(holder: Post = holder) -> bool:
            return await holds_of(holder, origin) == wanted

        await eventually(equal, seconds=60)

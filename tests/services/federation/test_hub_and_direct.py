"""Two cooperatives that are linked directly and are both members of a hub: what comes by both ways counts once."""

import pytest

from contracts.catalog import ListingWithdrawn
from contracts.federation import ListingGone, ListingReceived
from services.federation.tables import links, positions
from tests.servers import Servers
from tests.services.federation.around_a_hub import PATIENCE, a_region, entry_of, link_directly, until_holds
from tests.services.federation.pair import Post, eventually, listing, published


@pytest.mark.timeout(900)
async def test_what_comes_by_both_ways_counts_once(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with a_region(servers, tmp_path_factory.mktemp("both")) as region:
        lille, _, gand = region.members
        await link_directly(lille, gand)

        async def is_next_to_us() -> bool:
            entry = await entry_of(gand, lille)
            return entry is not None and entry["standing"] == "next_to_us"

        await eventually(is_next_to_us, seconds=PATIENCE)
        offer, last = listing(title="Par deux chemins", scope="public"), listing(title="La dernière")
        async with gand.ear("matching", ListingReceived) as heard, gand.ear("matching", ListingGone) as gone:
            await lille.say("catalog", published(offer))
            assert (await heard()).listing.id == offer.id
            await eventually(lambda: _has_come_by_the_hub(gand), seconds=PATIENCE)
            await lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=2, reason="withdrawn"))
            assert (await gone()).id == offer.id
            await until_holds(gand, lille, {})
            await lille.say("catalog", published(last))
            assert (await heard()).listing.id == last.id  # and no second time of the first in between
        await until_holds(gand, lille, {last.id: 1})
        assert [one["refused"] for one in await gand.call("GET", "/links")] == [0, 0]


async def _has_come_by_the_hub(post: Post) -> bool:
    streams = {row["id"] for row in await post.rows(links) if row["kind"] == "heard"}
    return any(row["link_id"] in streams and row["applied_to"] for row in await post.rows(positions))

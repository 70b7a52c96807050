from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.chassis.clock import Clock
from tests.servers import Servers
from tests.services.federation.pair import Pair
from tests.services.federation.running_posts import a_pair


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Made once for a file of tests: two instances take seconds to provision."""
    async with a_pair(servers, tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def pair(two: Pair) -> AsyncIterator[Pair]:
    """Two cooperatives without a link between them."""
    yield two
    two.line.cut = False
    for post in (two.lille, two.namur):
        post.service.app.state.clock = Clock()
        if (link := await post.link()) is not None:
            async with post.client() as client:
                await client.post(f"/links/{link['link_id']}/end")  # the other side may have been faster
    await two.until_status("ended")
    await two.until_broker_is_clean()

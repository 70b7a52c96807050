"""A queue that was only half made, because whoever made it did not wait, is made again before anybody relies on it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from contracts.federation import ListingReceived
from deploy.local.rabbitmq import LocalRabbit
from services.chassis import names
from services.chassis.ids import new_id
from services.chassis.management import BrokerRefused, Management
from services.federation.broker_rooms import Rooms
from tests.servers import Servers
from tests.services.federation.pair import Pair, Post, listing, published
from tests.services.federation.running_posts import a_pair

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

QUORUM = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}


@pytest.fixture(scope="module")
def rabbit() -> LocalRabbit:
    """A broker of its own: it stands still for some seconds."""
    return LocalRabbit()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(rabbit: LocalRabbit, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    rabbit.start()
    try:
        async with a_pair(servers.on(rabbit), tmp_path_factory.mktemp("pair")) as made:
            yield made
    finally:
        rabbit.stop()


async def _half_make(rabbit: LocalRabbit, post: Post, queue: str) -> None:
    """Ask for the queue while the broker writes nothing, and go away: what is left of it answers nobody, ever."""
    vhost = names.border_vhost(post.instance.name)
    async with Management(post.instance.settings().secret("admin_broker_url"), seconds=1) as hasty:
        await asyncio.to_thread(rabbit.control, "eval", "sys:suspend(ra_log_wal).")
        with pytest.raises(BrokerRefused):
            await hasty.call("PUT", "queues", vhost, queue, body=QUORUM)
        await asyncio.to_thread(rabbit.control, "eval", "sys:resume(ra_log_wal).")


async def test_a_link_opens_although_its_queues_were_only_half_made(rabbit: LocalRabbit, pair: Pair) -> None:
    await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=201)
    at_lille, at_namur = (await pair.lille.link())["link_id"], (await pair.namur.link())["link_id"]
    await _half_make(rabbit, pair.lille, names.out(at_lille))
    await _half_make(rabbit, pair.namur, names.inbound(at_namur))
    await pair.lille.call("POST", f"/links/{at_lille}/confirm")
    await pair.until_status("active")
    async with pair.namur.ear("catalog", ListingReceived) as heard:
        sent = listing()
        await pair.lille.say("catalog", published(sent))
        assert (await heard()).listing.id == sent.id


async def test_a_queue_is_waited_for_while_the_broker_stands_still(rabbit: LocalRabbit, pair: Pair) -> None:
    async with Management(pair.lille.instance.settings().secret("admin_broker_url"), seconds=1) as hasty:
        rooms = Rooms(hasty, pair.lille.instance.name, new_id())
        await asyncio.to_thread(rabbit.control, "eval", "sys:suspend(ra_log_wal).")
        making = asyncio.create_task(rooms.create(inbound_password="s3cret"))
        await asyncio.sleep(2)
        await asyncio.to_thread(rabbit.control, "eval", "sys:resume(ra_log_wal).")
        await making
        await rooms.prove()
        await rooms.remove()

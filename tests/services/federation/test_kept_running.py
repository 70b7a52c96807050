"""What a broker may lose of a link while everybody lives: it is made again, and what waited arrives."""

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio

from contracts.federation import ListingReceived
from services.chassis import names
from services.chassis.management import Management
from services.federation import broker_agent
from services.federation.broker_rooms import Rooms
from services.federation.tables import broker_orders
from tests.services.federation.pair import Pair, Post, listing, pause, published

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker-agent that does not wait for half a minute before it mends."""
    monkeypatch.setattr(broker_agent, "MEASURE_SECONDS", 0.2)
    monkeypatch.setattr(broker_agent, "STANDS_SECONDS", 1.0)


def _admin(post: Post) -> Management:
    return Management(post.instance.settings().secret("admin_broker_url"))


async def _arrives(pair: Pair) -> None:
    async with pair.namur.ear("catalog", ListingReceived) as heard:
        sent = listing()
        await pair.lille.say("catalog", published(sent))
        assert (await heard()).listing.id == sent.id


@pytest.mark.usefixtures("hurried")
async def test_a_shovel_that_does_not_run_is_made_anew(pair: Pair) -> None:
    _, at_namur = await pair.link()
    vhost, shovel = names.border_vhost(pair.namur.instance.name), f"pull.{at_namur}"
    async with _admin(pair.namur) as management:
        found = await management.call("GET", "parameters", "shovel", vhost, shovel)
        broken = found["value"] | {"src-uri": found["value"]["src-uri"].replace("amqp://", "amqp://nobody-", 1)}
        await management.call("PUT", "parameters", "shovel", vhost, shovel, body={"value": broken})
        await _arrives(pair)
        mended = await management.call("GET", "parameters", "shovel", vhost, shovel)
    assert mended["value"] == found["value"]


@pytest.mark.usefixtures("hurried")
async def test_a_link_that_is_paused_gets_no_shovel(pair: Pair) -> None:
    _, at_namur = await pair.link()
    await pause(pair.namur, at_namur)
    await asyncio.sleep(3)
    async with _admin(pair.namur) as management:
        vhost = names.border_vhost(pair.namur.instance.name)
        assert await management.call("GET", "parameters", "shovel", vhost, f"pull.{at_namur}") is None


async def test_a_queue_that_was_deleted_and_made_again_is_read_again(pair: Pair) -> None:
    _, at_namur = await pair.link()
    await _arrives(pair)
    async with _admin(pair.namur) as management:
        await management.call(
            "DELETE", "queues", names.border_vhost(pair.namur.instance.name), names.inbound(str(at_namur))
        )
        await asyncio.sleep(1)  # RabbitMQ 3.10 mixes up what was deleted and made again at once
        await Rooms(management, pair.namur.instance.name, at_namur).create(
            inbound_password=await _inbound_password(pair.namur, at_namur)
        )
    await _arrives(pair)


async def _inbound_password(post: Post, link_id: UUID) -> str:
    return next(row["inbound_password"] for row in await post.rows(broker_orders) if row["link_id"] == link_id)

"""Shovels over AMQPS between brokers of one authority of their own, each of which shows its certificate."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.federation import ListingReceived
from deploy.local import folders
from deploy.local.authority import Authority
from deploy.local.rabbitmq import LocalRabbit
from services.federation.addresses import Trust
from tests.servers import Servers
from tests.services.federation.pair import Pair, Wire, a_pair, eventually, listing, published

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker() -> AsyncIterator[tuple[LocalRabbit, Authority]]:
    folder = folders.throwaway("authority")
    authority = Authority(folder)
    rabbit = LocalRabbit(authority=authority)
    rabbit.start()
    yield rabbit, authority
    rabbit.stop()
    folders.remove(folder)


def on(servers: Servers, rabbit: LocalRabbit) -> Servers:
    """The session's database with this broker."""
    return dataclasses.replace(
        servers,
        amqp_host=rabbit.host,
        amqp_port=rabbit.amqp_port,
        management_url=rabbit.management_url,
        broker_admin_user=rabbit.admin_user,
        broker_admin_password=rabbit.admin_password,
    )


def trust_in(authority: Authority, *, shows: bool = True) -> Trust:
    own = authority.issue("shovel")
    files = {"certificate": str(own.certificate), "key": str(own.key)} if shows else {}
    return Trust(ca_file=str(authority.ca_file), **files)


async def test_a_link_works_over_amqps_with_certificates_on_both_ends(
    servers: Servers, broker: tuple[LocalRabbit, Authority], tmp_path: Path
) -> None:
    rabbit, authority = broker
    wire = Wire(tls_port=rabbit.amqps_port, trust=trust_in(authority))
    async with a_pair(on(servers, rabbit), tmp_path, wire) as pair:
        await pair.link()
        offer = listing()
        async with pair.namur.ear("matching", ListingReceived) as heard:
            await pair.lille.say("catalog", published(offer))
            assert (await heard()).listing.id == offer.id


@pytest.mark.parametrize("wrong", ["authority of somebody else", "no certificate of its own"])
async def test_a_broker_that_cannot_be_verified_gets_and_gives_nothing(
    servers: Servers, broker: tuple[LocalRabbit, Authority], tmp_path: Path, wrong: str
) -> None:
    rabbit, authority = broker
    if wrong == "no certificate of its own":
        trust = trust_in(authority, shows=False)
    else:
        other = Authority(folders.throwaway("stranger"))
        trust = dataclasses.replace(trust_in(authority), ca_file=str(other.ca_file))
    wire = Wire(tls_port=rabbit.amqps_port, trust=trust)
    async with a_pair(on(servers, rabbit), tmp_path, wire) as pair:
        await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=201)
        await pair.lille.call("POST", f"/links/{(await pair.lille.link())['link_id']}/confirm")
        await pair.until_status("active")
        await pair.lille.say("catalog", published(listing()))
        await eventually(lambda: _says_why(pair), seconds=60)
        assert (await pair.namur.link())["copies_here"] == 0


async def _says_why(pair: Pair) -> bool:
    return all([(await post.link())["reason"] == "peer_broker_does_not_answer" for post in (pair.lille, pair.namur)])

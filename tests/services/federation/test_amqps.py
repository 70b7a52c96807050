"""Shovels over AMQPS between brokers of one authority of their own, each of which shows its certificate."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.exceptions import AMQPConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts.federation import ListingReceived
from deploy.local import folders
from deploy.local.authority import Authority
from deploy.local.rabbitmq import LocalRabbit
from services.chassis import names
from services.federation import certificates
from services.federation.addresses import Trust
from services.federation.tables import broker_orders, links
from tests.servers import Servers
from tests.services.federation.pair import Pair, Post, eventually, listing, published
from tests.services.federation.running_posts import Wire, a_pair

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


def trust_in(authority: Authority, *, shows: bool = True) -> Trust:
    own = authority.issue("shovel")
    if not shows:
        return Trust(ca_file=str(authority.ca_file))
    return Trust(ca_file=str(authority.ca_file), certificate=str(own.certificate), key=str(own.key))


async def test_a_link_works_over_amqps_with_certificates_on_both_ends(
    servers: Servers, broker: tuple[LocalRabbit, Authority], tmp_path: Path
) -> None:
    rabbit, authority = broker
    wire = Wire(tls_port=rabbit.amqps_port, trust=trust_in(authority))
    async with a_pair(servers.on(rabbit), tmp_path, wire) as pair:
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
    async with a_pair(servers.on(rabbit), tmp_path, wire) as pair:
        await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=201)
        await pair.lille.call("POST", f"/links/{(await pair.lille.link())['link_id']}/confirm")
        await pair.until_status("active")
        await pair.lille.say("catalog", published(listing()))
        await eventually(lambda: _says_why(pair), seconds=60)
        assert (await pair.namur.link())["copies_here"] == 0


async def _says_why(pair: Pair) -> bool:
    return all([(await post.link())["reason"] == "peer_broker_does_not_answer" for post in (pair.lille, pair.namur)])


@pytest_asyncio.fixture(loop_scope="module")
async def strict() -> AsyncIterator[tuple[LocalRabbit, Authority, Path]]:
    """A broker that trusts those whom an authority of the border has signed; the folder is that authority's."""
    folder = folders.throwaway("authority")
    authority = Authority(folder)
    certificates.make_authority(folder, "region", now=datetime.now(UTC))
    rabbit = LocalRabbit(authority=authority, peers_ca=folder / certificates.AUTHORITY)
    rabbit.start()
    yield rabbit, authority, folder
    rabbit.stop()
    folders.remove(folder)


async def test_a_peer_is_let_in_by_the_certificate_that_was_signed_for_its_link_and_by_nothing_else(
    servers: Servers, strict: tuple[LocalRabbit, Authority, Path], tmp_path: Path
) -> None:
    rabbit, authority, folder = strict
    trust = dataclasses.replace(trust_in(authority, shows=False), links=folder)
    async with a_pair(
        servers.on(rabbit), tmp_path, Wire(tls_port=rabbit.amqps_port, trust=trust, external=True)
    ) as pair:
        await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=201)
        await pair.lille.call("POST", f"/links/{(await pair.lille.link())['link_id']}/confirm")
        await pair.until_status("active")
        await eventually(lambda: _says_why(pair), seconds=60)
        for post, other in ((pair.lille, pair.namur), (pair.namur, pair.lille)):
            await admit(post, other, folder)
        offer = listing()
        async with pair.namur.ear("matching", ListingReceived) as heard:
            await pair.lille.say("catalog", published(offer))
            assert (await heard()).listing.id == offer.id
        (link,) = [row for row in await pair.lille.rows(links) if row["status"] == "active"]
        user, vhost = names.peer_user(pair.lille.instance.name, str(link["id"])), pair.lille.instance.name
        with pytest.raises(AMQPConnectionError):
            await aio_pika.connect(
                f"amqp://{user}:{link['peer_password']}@{rabbit.host}:{rabbit.amqp_port}/{vhost}.border"
            )


async def admit(post: Post, other: Post, folder: Path) -> None:
    """Let `post` in at `other`: what the two operators do by hand. Whatever name it asks for, it gets its own."""
    (link,) = [row for row in await post.rows(links) if row["status"] == "active"]
    user = names.peer_user(other.instance.name, str(link["peer_link_id"]))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{other.instance.name}.booking")])
    asked = x509.SubjectAlternativeName([x509.DNSName(f"{other.instance.name}.booking")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(asked, critical=False)
    signed = certificates.sign(
        request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), user, folder, now=datetime.now(UTC)
    )
    for suffix, pem in (
        (".pem", signed),
        (".key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
    ):
        folders.write_private(folder / f"{link['id']}{suffix}", pem.decode(), folders.account())
    for act in ("pause", "resume"):
        await post.call("POST", f"/links/{link['id']}/{act}")
        await eventually(lambda: _is_done(post))


async def _is_done(post: Post) -> bool:
    return all(row["done_generation"] == row["generation"] for row in await post.rows(broker_orders))

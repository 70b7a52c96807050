"""A linked cooperative with valid credentials, its own broker and its own keys, and no scruples.

It gets nothing in and nothing out that is not its own, and what it tries is counted. Run it alone to read the report:
`pytest -q tests/security/test_hostile_peer.py`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import aio_pika
import httpx
import pytest
import pytest_asyncio
from aio_pika.exceptions import AMQPError
from joserfc.jwk import OKPKey

from contracts.border import (
    BorderListingWithdrawn,
)
from contracts.federation import ListingGone
from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.chassis.management import Management
from services.chassis.outgoing import AddressRefused, resolve
from services.federation import tending
from services.federation.addresses import PeerQueue, Trust, amqp_uri, check_web_address
from services.federation.broker_rooms import CONNECTIONS_PER_PEER, Rooms
from services.federation.gate import PARKED_AT_MOST
from services.federation.keys import ALGORITHM, Keys
from services.federation.tables import broker_orders, parked, positions, refusals
from tests.security.hostile import Scene, deeds_of, gone, lies_of, refused_by_broker
from tests.security.report import Report
from tests.services.federation.conftest import two
from tests.services.federation.pair import Pair, eventually
from tests.services.federation.test_hostile_peer import Namur

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("hostile-peer"),
]
__all__ = ["two"]  # a fixture

NOW = Clock().now
FLOOD = 300


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    made = Report("A hostile peer with valid credentials")
    yield made
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(made.text())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(two: Pair) -> AsyncIterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tending, "tend", _nothing)  # no receipts and manifests: Namur's numbers are ours to give
        async with _linked(two) as made:
            yield made


async def _nothing(*_given: object, **_named: object) -> None: ...


@contextlib.asynccontextmanager
async def _linked(two: Pair) -> AsyncGenerator[Scene]:
    lille_id, namur_id = await two.link()
    lille = two.lille
    (order,) = [row for row in await lille.rows(broker_orders) if row["link_id"] == lille_id]
    third_id = new_id()
    async with Management(lille.instance.settings().secret("admin_broker_url")) as management:
        rooms = Rooms(management, lille.instance.name, third_id)
        await rooms.create(inbound_password=secrets.token_urlsafe(32))
        await rooms.admit(secrets.token_urlsafe(32))
        user = names.peer_user(lille.instance.name, str(lille_id))
        yield Scene(two, Namur(two, namur_id), lille_id, third_id, user, order["peer_password"], management)
        await rooms.remove()


async def test_its_broker_account_reads_its_one_queue_and_nothing_else(scene: Scene, report: Report) -> None:
    for attempt, deed in deeds_of(scene).items():
        said = await refused_by_broker(scene, deed)
        assert "ACCESS_REFUSED" in said or "access to" in said, (attempt, said)
        report.add(attempt, "rights of its broker user", "broker's log")
    for vhost in (scene.pair.lille.instance.name, "/", names.border_vhost(scene.pair.namur.instance.name)):
        with pytest.raises((AMQPError, OSError)):
            await aio_pika.connect(scene.url(vhost))
    report.add("enter Lille's own vhost", "no rights there", "broker's log")
    base = scene.pair.lille.instance.servers.management_url
    async with httpx.AsyncClient(base_url=base, auth=(scene.user, scene.password)) as client:
        for path in ("/api/queues", "/api/users", f"/api/parameters/shovel/{quote(scene.border, safe='')}"):
            assert (await client.get(path)).status_code == 401
    report.add("use the management API", "a user without a tag", "broker's log")


async def test_it_cannot_take_all_connections(scene: Scene, report: Report) -> None:
    async with AsyncExitStack() as opened:
        count = 0
        with contextlib.suppress(AMQPError, OSError):
            for _ in range(20):
                await opened.enter_async_context(await aio_pika.connect(scene.url(scene.border)))
                count += 1
    assert count < CONNECTIONS_PER_PEER
    report.add("take all connections", f"limit of its user ({count} beside its shovel)", "broker's log")


async def test_lies_do_not_pass_the_gate(scene: Scene, report: Report) -> None:
    """In order, so that what is authentic takes its number and honest words go on afterwards."""
    namur = scene.namur
    lies = lies_of(namur, scene.third_id)
    stranger = Keys(OKPKey.generate_key(ALGORITHM), OKPKey.generate_key(ALGORITHM))
    before = await scene.refused()
    await namur.put(*(body for _, body, _ in lies))
    await eventually(lambda: _reached(scene, before + len(lies)))
    kept = [row["reason"] for row in sorted(await scene.pair.lille.rows(refusals), key=lambda row: row["id"])]
    assert kept[-len(lies) :] == [reason for _, _, reason in lies]
    for attempt, _, reason in lies:
        report.add(attempt, f"gate: {reason}", "refusals, maillage_border_received")
    await namur.put(namur.message(gone(), 10, by=stranger))
    report.add("sign with a key of its own making", "gate: waits for a key set that never has it", "quarantine")


async def _reached(scene: Scene, count: int) -> bool:
    return await scene.refused() >= count


async def test_repeating_and_flooding_have_no_effect(scene: Scene, report: Report) -> None:
    namur, lille = scene.namur, scene.pair.lille
    honest = BorderListingWithdrawn(id=new_id(), version=1)
    body = namur.message(honest, 10)
    async with lille.ear("matching", ListingGone) as heard:
        await namur.put(*[body] * 50)
        assert (await heard()).id == honest.id
        ahead = [namur.message(BorderListingWithdrawn(id=new_id(), version=1), seq) for seq in range(100, 100 + FLOOD)]
        await namur.put(*ahead, *[b"noise"] * FLOOD)
        before = await scene.refused()
        await eventually(lambda: _reached(scene, before + 1), seconds=60)
        last = BorderListingWithdrawn(id=new_id(), version=1)
        await namur.put(namur.message(last, 11))
        assert (await heard()).id == last.id, "a copy of what was repeated came in between"
    assert len(await lille.rows(parked)) <= PARKED_AT_MOST
    kept = await lille.rows(refusals)
    assert len(kept) <= 500
    assert max(len(row["body"]) for row in kept) <= 4096
    report.add("repeat what it said (50 times)", "its number is applied already", "maillage_border_received{duplicate}")
    report.add(f"flood ({FLOOD} ahead, {FLOOD} of noise)", "bounds of parking and of refusals kept", "parked, refusals")


async def test_it_is_heard_as_itself_alone(scene: Scene, report: Report) -> None:
    """A listing of Lille's, withdrawn by Namur: what is heard inside carries Namur's id, whatever the message says."""
    namur, lille = scene.namur, scene.pair.lille
    claimed = BorderListingWithdrawn(id=new_id(), version=10**6)
    headers = {"CC": [names.out(str(scene.third_id))], "BCC": [names.out(str(scene.third_id))]}
    async with lille.ear("matching", ListingGone) as heard:
        await namur.put(namur.message(claimed, 12), headers=headers)
        told = await heard()
    assert (told.origin, told.id) == (scene.pair.namur.border.us, claimed.id)
    report.add(
        "claim the id of another's listing", "copies are keyed by (origin, id)", "nothing to count: its own id space"
    )
    assert await scene.depth(names.out(str(scene.third_id))) == 0
    assert await scene.depth(names.inbound(str(scene.third_id))) == 0
    report.add(
        "send CC and BCC headers", "shovel into a fanout, as a user that may write it alone", "nothing is delivered"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user", ".*"), ("user", ".*.peer." + "0" * 36), ("vhost", ".*"), ("vhost", "lille"), ("vhost", "/"),
        ("host", "amqp:///x"), ("host", "a@b"), ("host", "x/y"), ("host", "x?cacertfile=/etc/passwd"), ("host", ""),
        ("queue", ".*"), ("queue", "out.x&y"), ("password", "short"), ("password", "a" * 40 + "@h/"), ("port", 0),
        ("port", 70000),
    ],
)  # fmt: skip
async def test_its_fields_never_steer_a_pattern_or_an_address(field: str, value: Any) -> None:
    good: dict[str, Any] = {
        "host": "broker.namur.example", "port": 5671, "tls": True, "vhost": "namur.border",
        "user": f"namur.peer.{new_id()}", "password": "p" * 40, "queue": f"out.{new_id()}",
    }  # fmt: skip
    assert amqp_uri(PeerQueue(**good), trust=Trust(ca_file="/ca"), allow_plain=False).startswith("amqps://namur.peer.")
    with pytest.raises(AddressRefused):
        amqp_uri(PeerQueue(**good | {field: value}), trust=Trust(ca_file="/ca"), allow_plain=False)


async def test_its_addresses_lead_nowhere_inside(report: Report) -> None:
    for host in ("127.0.0.1", "localhost", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "[::1]"):
        with pytest.raises(AddressRefused):
            await resolve(host.strip("[]"), 5671, allow_private=False)
    for address in (
        "amqp:///x",
        "http://lille.example",
        "https://a:b@lille.example",
        "https://lille.example/path",
        "ftp://x",
    ):
        with pytest.raises(AddressRefused):
            check_web_address(address, allow_private=False)
    for name in (".*", "a|b", "lille\n"):
        with pytest.raises(ValueError, match="short name"):
            names.check_instance(name)
    report.add(
        "name itself .*, give amqp:///x", "fields are checked by form, link ids are ours", "the request is refused"
    )
    report.add("give loopback and private addresses", "resolved and checked before each use", "the link's reason")


async def test_a_user_id_stops_no_other_link_and_brings_nothing_in(scene: Scene, report: Report) -> None:
    """Last: RabbitMQ refuses to hand on a message of somebody else's user, and this link's shovel is at its end."""
    namur, lille = scene.namur, scene.pair.lille
    settings = scene.pair.namur.instance.settings()
    forged = BorderListingWithdrawn(id=new_id(), version=1)
    async with await aio_pika.connect(settings.broker_url("federation", border=True)) as connection:
        exchange = await (await connection.channel()).get_exchange("out", ensure=False)
        message = aio_pika.Message(
            namur.message(forged, 13), user_id=names.broker_user(settings.instance, "federation")
        )
        await exchange.publish(message, names.out(str(namur.link_id)))
    await asyncio.sleep(3)
    assert (await lille.rows(positions))[0]["applied_to"] == 12
    assert await scene.depth(names.inbound(str(scene.third_id))) == 0
    report.add("send a user_id", "the broker refuses it from our shovel's user", "reason on the links page")


async def test_everything_it_tried_was_counted(scene: Scene, report: Report) -> None:
    link = await scene.pair.lille.link()
    rows = {row["reason"] for row in await scene.pair.lille.rows(refusals)}
    assert link["refused"] == await scene.refused()
    assert link["refused"] > FLOOD
    assert rows
    report.add("(all of it)", f"{link['refused']} refused on this link", "page of the link, coordinators' inbox")

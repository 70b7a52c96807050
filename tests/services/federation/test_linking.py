"""Linking by invitation: one use, in time, with the right server; and what is on the broker before and after."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aio_pika
import pytest
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from contracts.federation import LinkChanged, ListingReceived
from services.chassis import names
from services.chassis.clock import Clock
from services.federation import public_stream
from services.federation.domain import decode_code, encode_code
from services.federation.keys import thumbprint_for_people
from services.federation.tables import broker_orders, links, shares
from tests.services.federation.pair import Pair, Post, eventually, listing, published, queues

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_link_waits_for_the_inviting_coordinator(pair: Pair) -> None:
    async with pair.lille.ear("notify", LinkChanged) as heard:
        code = await pair.invite()
        seen = await pair.namur.call("POST", "/links/preview", json={"code": code})
        assert seen["peer_id"] == pair.lille.border.us
        asked = await pair.namur.call("POST", "/links", json={"code": code}, expect=201)
        assert asked["status"] == "awaiting_confirmation"
        waiting = await pair.lille.link()
        assert waiting["status"] == "to_confirm"
        assert waiting["thumbprint"] == thumbprint_for_people(pair.namur.border.us)
        assert await queues(pair.lille) == await queues(pair.namur) == set()
        await pair.lille.call("POST", f"/links/{waiting['link_id']}/confirm")
        await pair.until_status("active")
        assert [(await heard()).link.status for _ in range(3)] == ["to_confirm", "opening", "active"]
    async with pair.lille.client("member") as member:
        peers = (await member.get("/peers")).json()
    assert [peer["peer_id"] for peer in peers] == [pair.namur.border.us]


async def test_links_are_for_coordinators(pair: Pair) -> None:
    async with pair.lille.client("member") as member:
        for path in ("/links", "/invitations"):
            assert (await member.get(path)).status_code == 403
            assert (await member.post(path, json={"code": "x"})).status_code == 403


async def test_an_invitation_serves_once(pair: Pair) -> None:
    code = await pair.invite()
    await pair.namur.call("POST", "/links", json={"code": code}, expect=201)
    asked = await pair.lille.link()
    await pair.lille.call("POST", f"/links/{asked['link_id']}/end")
    await eventually(lambda: _is_gone(pair.namur))
    again = await pair.namur.call("POST", "/links", json={"code": code}, expect=201)
    assert again["status"] == "awaiting_confirmation"  # the same cooperative may ask again with it
    assert (await pair.lille.call("GET", "/invitations"))[0]["status"] == "used"


async def _is_gone(post: Post) -> bool:
    return await post.link() is None


async def test_a_revoked_invitation_is_over(pair: Pair) -> None:
    code = await pair.invite()
    made = (await pair.lille.call("GET", "/invitations"))[0]
    await pair.lille.call("DELETE", f"/invitations/{made['id']}", expect=204)
    problem = await pair.namur.call("POST", "/links", json={"code": code}, expect=410)
    assert problem["type"].endswith("federation/invitation-over")
    assert await pair.namur.link() is None


async def test_an_invitation_is_over_after_72_hours(pair: Pair) -> None:
    code = await pair.invite()
    for post in (pair.lille, pair.namur):
        post.service.app.state.clock = Clock(lambda: datetime.now(UTC) + timedelta(hours=72, seconds=1))
    forged_end = decode_code(code).model_copy(update={"e": datetime.now(UTC) + timedelta(days=400)})
    await pair.namur.call("POST", "/links", json={"code": encode_code(forged_end)}, expect=410)
    assert await pair.lille.link() is None


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"t": "A" * 43}, 409, "peer-not-genuine"),
        ({"s": "wrong" * 8}, 410, "invitation-over"),
        ({"a": "http://nobody.test"}, 502, "peer-does-not-answer"),
    ],
)
async def test_a_code_that_leads_elsewhere_changes_nothing(
    pair: Pair, change: dict[str, Any], status: int, problem: str
) -> None:
    code = decode_code(await pair.invite()).model_copy(update=change)
    answer = await pair.namur.call("POST", "/links", json={"code": encode_code(code)}, expect=status)
    assert answer["type"].endswith(problem)
    assert await pair.namur.link() is None


async def test_our_own_code_is_said_to_be_our_own(pair: Pair) -> None:
    answer = await pair.lille.call("POST", "/links", json={"code": await pair.invite()}, expect=409)
    assert answer["type"].endswith("own-invitation")


async def test_the_confirmation_reaches_a_peer_that_was_away(pair: Pair) -> None:
    await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=201)
    pair.line.cut = True
    asked = await pair.lille.link()
    await pair.lille.call("POST", f"/links/{asked['link_id']}/confirm")

    async def has_tried() -> bool:
        return (await pair.lille.link())["reason"] == "peer_does_not_answer"

    await eventually(has_tried)
    assert (await pair.namur.link())["status"] == "awaiting_confirmation"
    pair.line.cut = False
    await pair.until_status("active")


async def test_the_peers_user_reads_its_queue_and_nothing_else(pair: Pair) -> None:
    link_id, _ = await pair.link()
    settings = pair.lille.instance.settings()
    row = next(row for row in await pair.lille.rows(links) if row["id"] == link_id)
    user = names.peer_user(settings.instance, str(link_id))
    address = f"amqp://{user}:{row['peer_password']}@{settings.broker_host}:{settings.broker_port}/"
    with pytest.raises(CONNECTION_EXCEPTIONS):
        await aio_pika.connect(address + settings.instance)
    connection = await aio_pika.connect(address + names.border_vhost(settings.instance))
    async with connection:
        channel = await connection.channel()
        with pytest.raises(CONNECTION_EXCEPTIONS):
            await (await channel.get_queue(names.inbound(str(link_id)), ensure=False)).get(fail=False)
        channel = await connection.channel()
        exchange = await channel.get_exchange("out", ensure=False)
        with pytest.raises(CONNECTION_EXCEPTIONS):
            await exchange.publish(aio_pika.Message(b"x"), names.out(str(link_id)))
        channel = await connection.channel()
        await (await channel.get_queue(names.out(str(link_id)), ensure=False)).get(fail=False)


async def test_ending_a_link_leaves_nothing_on_either_side(pair: Pair) -> None:
    await pair.link()
    await pair.lille.say("catalog", published(listing()))
    async with pair.namur.ear("matching", LinkChanged) as heard:
        await pair.namur.call("POST", f"/links/{(await pair.namur.link())['link_id']}/end")
        await pair.until_status("ended")
        while (await heard()).link.status != "ended":
            pass
    await pair.until_broker_is_clean()
    lille, namur = await pair.link()  # and it can be made again
    assert lille != namur


async def test_what_still_comes_of_a_link_that_has_ended_leaves_nothing_behind(pair: Pair) -> None:
    """A public stream without a link would stand in the way of the one that belongs to the next link."""
    await pair.link()
    (before,) = [row for row in await pair.namur.rows(links) if row["status"] == "active"]
    await pair.namur.call("POST", f"/links/{before['id']}/end")
    async with pair.namur.db.transaction() as session:
        assert await public_stream.heard_from(session, before, now=Clock().now()) is None
    assert [row["id"] for row in await pair.namur.rows(links) if row["kind"] == "heard"] == []


async def test_a_paused_link_loses_nothing(pair: Pair) -> None:
    link_id, _ = await pair.link()
    offers = [listing(title=f"Offre {number}") for number in range(20)]
    wanted, arrived = {offer.id for offer in offers}, set[UUID]()
    async with pair.namur.ear("matching", ListingReceived) as heard:

        async def hear_all() -> None:
            while not wanted <= arrived:
                arrived.add((await heard()).listing.id)

        await pair.lille.call("POST", f"/links/{link_id}/pause")
        await eventually(lambda: _order_done(pair.lille))
        for offer in offers:
            await pair.lille.say("catalog", published(offer))
        await eventually(lambda: _are_shared(pair.lille, link_id, wanted))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hear_all(), 2)
        assert not arrived & wanted
        await pair.lille.call("POST", f"/links/{link_id}/resume")
        await asyncio.wait_for(hear_all(), 30)


async def _are_shared(post: Post, link_id: UUID, things: set[UUID]) -> bool:
    return things <= {row["thing_id"] for row in await post.rows(shares) if row["link_id"] == link_id}


async def _order_done(post: Post) -> bool:
    return all(row["done_generation"] == row["generation"] for row in await post.rows(broker_orders))

"""A member of a hub that sends without end: what it may have passed on, what waits for one that is away."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa

from services.federation import boxes, carrying, hub_bounds, mending
from services.federation.hub_tables import traffic
from services.federation.tables import broker_orders
from tests.servers import Servers
from tests.services.federation.around_a_hub import (
    PATIENCE,
    Region,
    a_region,
    holds_of,
    id_of_link,
    link_of,
    link_through_hub,
    until_holds,
)
from tests.services.federation.pair import Post, eventually, listing, pause, published
from tests.services.federation.test_mending import change

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

FLOOD = 400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Region]:
    """Lille and Namur linked through the hub; Gand is a member that nobody has accepted."""
    async with a_region(servers, tmp_path_factory.mktemp("flood")) as made:
        await link_through_hub(made.lille, made.namur)
        yield made


def bound(region: Region, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    monkeypatch.setattr(region.hub.border, "settings", region.hub.border.settings.model_copy(update=values))


async def order_of(region: Region, member: Post) -> str:
    at = await id_of_link(region.hub, member)
    return next(row["command"] for row in await region.hub.rows(broker_orders) if row["link_id"] == at)


def flood_for(addressee: Post) -> list[str]:
    """Nobody's words, in boxes."""
    box = str(addressee.border.keys.box.as_dict(private=False)["x"])
    return [boxes.close(f"rien {number}".encode(), addressee.border.us, box).decode() for number in range(FLOOD)]


async def test_a_member_that_floods_one_other_goes_on_towards_the_rest(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lille, namur, gand = region.members
    await link_through_hub(lille, gand)
    bound(region, monkeypatch, federation_hub_to_one_messages=50)
    async with gand.db.transaction() as session:
        await carrying.put_as_it_is(session, await id_of_link(gand, region.hub), flood_for(namur))
    offer = listing(title="Pendant l'inondation de l'autre")
    await gand.say("catalog", published(offer))
    await until_holds(lille, gand, {offer.id: 1})

    async def is_counted() -> bool:
        link = await link_of(region.hub, gand)
        return (link["refused"], link["reason"]) == (FLOOD - 50, None)

    await eventually(is_counted, seconds=PATIENCE)
    assert await order_of(region, gand) == "create"

    async def has_come() -> bool:
        return (await link_of(namur, region.hub))["refused"] == 50

    await eventually(has_come, seconds=PATIENCE)


async def test_a_member_that_floods_another_is_held_and_the_others_go_on(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lille, namur, gand = region.members
    used = {row["link_id"]: row["messages"] for row in await region.hub.rows(traffic)}
    bound(region, monkeypatch, federation_hub_messages=used[await id_of_link(region.hub, gand)] + 50)
    at_both = ((region.hub, gand), (namur, region.hub))
    before = {post.border.us: (await link_of(post, peer))["refused"] for post, peer in at_both}
    at_hub = await id_of_link(namur, region.hub)
    await pause(namur, at_hub)
    async with gand.db.transaction() as session:
        await carrying.put_as_it_is(session, await id_of_link(gand, region.hub), flood_for(namur))

    async def is_held() -> bool:
        link = await link_of(region.hub, gand)
        is_more = link["refused"] > before[region.hub.border.us]
        return link["reason"] == "held" and is_more and await order_of(region, gand) == "hold"

    await eventually(is_held, seconds=PATIENCE)
    offer = listing(title="Pendant l'inondation")
    await lille.say("catalog", published(offer))
    await namur.call("POST", f"/links/{at_hub}/resume")
    await until_holds(namur, lille, await holds_of(namur, lille) | {offer.id: 1})
    spent = next(row for row in await region.hub.rows(traffic) if row["held"])
    assert spent["messages"] <= used[spent["link_id"]] + 50
    reasons = {one["reason"] for one in await refused(region, gand)}
    assert reasons == {"too_much"}
    # what reached Namur of it is nobody's word, and little
    assert (await link_of(namur, region.hub))["refused"] <= before[namur.border.us] + 50
    assert (await link_of(namur, lille))["refused"] == 0


async def refused(region: Region, member: Post) -> list[Any]:
    page = await region.hub.call("GET", f"/links/{await id_of_link(region.hub, member)}/refusals")
    return page["items"]


async def test_what_an_honest_member_says_beyond_its_bound_arrives_later(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lille, namur, _ = region.members
    monkeypatch.setattr(mending, "LONGEST_PAUSE", timedelta(seconds=5))
    held = await holds_of(namur, lille)
    used = {row["link_id"]: row["messages"] for row in await region.hub.rows(traffic)}
    at_lille = await id_of_link(region.hub, lille)
    offers = [listing(title=f"Beaucoup {number}") for number in range(40)]
    with monkeypatch.context() as patched:
        bound(region, patched, federation_hub_messages=used[at_lille] + 10)
        for offer in offers:
            await lille.say("catalog", published(offer))

        async def is_held() -> bool:
            return (await link_of(region.hub, lille))["reason"] == "held"

        await eventually(is_held, seconds=PATIENCE)
        assert len(await holds_of(namur, lille)) < len(held) + len(offers)
    bound(region, monkeypatch, federation_hub_messages=100_000)
    long_ago = traffic.c.since - hub_bounds.HOUR
    await change(region.hub, sa.update(traffic).values(since=long_ago))
    after = listing(title="Après")
    await lille.say("catalog", published(after))
    await until_holds(namur, lille, held | {one.id: 1 for one in [*offers, after]})
    assert await order_of(region, lille) == "create"

    async def is_well() -> bool:  # its shovel needs a moment
        return (await link_of(region.hub, lille))["reason"] is None

    await eventually(is_well, seconds=PATIENCE)


async def test_no_more_waits_for_one_that_is_away_than_fits_and_it_finds_all_afterwards(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lille, namur, _ = region.members
    monkeypatch.setattr(mending, "LONGEST_PAUSE", timedelta(seconds=5))
    held, before = await holds_of(namur, lille), (await link_of(region.hub, lille))["refused"]
    at_hub = await id_of_link(region.hub, namur)
    mine = broker_orders.c.link_id == at_hub
    with monkeypatch.context() as patched:
        patched.setattr(hub_bounds, "full", partial(_only, at_hub))  # as if a gigabyte waited
        offers = [listing(title=f"De trop {number}", scope="public" if number % 2 else "peers") for number in range(6)]
        for offer in offers:
            await lille.say("catalog", published(offer))

        async def are_dropped() -> bool:
            return (await link_of(region.hub, namur))["dropped"] >= len(offers)

        await eventually(are_dropped, seconds=PATIENCE)
        assert await holds_of(namur, lille) == held
    after = [listing(title="Ensuite", scope=scope) for scope in ("peers", "public")]
    for offer in after:
        await lille.say("catalog", published(offer))
    await until_holds(namur, lille, held | {one.id: 1 for one in [*offers, *after]})
    assert (await link_of(region.hub, lille))["refused"] == before
    await change(region.hub, sa.update(broker_orders).where(mine).values(waiting_octets=2))
    async with region.hub.db.reading() as session:
        small = region.hub.border.settings.model_copy(update={"federation_hub_waiting_megabytes": 1e-6})
        assert await hub_bounds.full(session, small.hub_bounds) == {at_hub}
        assert await hub_bounds.full(session, region.hub.border.settings.hub_bounds) == set()


async def _only(link_id: UUID, *_asked: object) -> set[UUID]:
    return {link_id}


async def test_the_broker_says_how_much_waits(region: Region) -> None:
    namur = region.namur
    at_hub = await id_of_link(namur, region.hub)
    await pause(namur, at_hub)
    box = str(namur.border.keys.box.as_dict(private=False)["x"])
    body = boxes.close(b"x" * 3000, namur.border.us, box).decode()
    async with region.hub.db.transaction() as session:
        await carrying.put_as_it_is(session, await id_of_link(region.hub, namur), [body])

    async def is_measured() -> bool:
        at = await id_of_link(region.hub, namur)
        found = next(row for row in await region.hub.rows(broker_orders) if row["link_id"] == at)
        return (found["waiting_octets"] or 0) > 3000

    await eventually(is_measured, seconds=PATIENCE)
    await namur.call("POST", f"/links/{at_hub}/resume")

"""What a hub passes on, without its broker: bounds for each member, whom it blames, what it keeps for one away."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from joserfc.jwk import OKPKey

from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import boxes, hub_bounds, linking, sorting
from services.federation.documents import Profile
from services.federation.hub_tables import traffic, traffic_to
from services.federation.keys import ALGORITHM, Keys
from services.federation.settings import Bounds, FederationSettings
from services.federation.sorting import Desk
from services.federation.tables import border_outbox, broker_orders, positions, refusals
from tests.instances import Instance

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEW = Bounds(messages=10, octets=1_000_000, messages_to_one=1_000, octets_to_one=1_000_000, waiting=5_000)


def somebody() -> Keys:
    return Keys(OKPKey.generate_key(ALGORITHM), OKPKey.generate_key(ALGORITHM))


US, LILLE, NAMUR, GAND = somebody(), somebody(), somebody(), somebody()


@pytest_asyncio.fixture
async def db(instance: Instance) -> AsyncIterator[Database]:
    database = Database(instance.settings(FederationSettings).database_url("federation"))
    yield database
    await database.close()


async def linked(db: Database, keys: Keys, kind: Any = "member", via: UUID | None = None) -> UUID:
    """An active link of ours, as if it had been made."""
    peer = Profile(instance_id=keys.instance_id, name=keys.instance_id[:8], address="https://there.example")
    async with db.transaction() as session:
        made = await linking.begin(session, peer, status="to_confirm", by="Hugo", now=NOW, kind=kind, via=via)
        values = {"status": "active", "peer_link_id": new_id(), "active_since": NOW}
        await linking.order(session, await linking.change(session, made, **values), "create")
    return made["id"]


async def rows(db: Database, table: sa.Table) -> list[Any]:
    async with db.reading() as session:
        return list((await session.execute(sa.select(table))).mappings().all())


async def orders(db: Database) -> dict[UUID, str]:
    return {row["link_id"]: row["command"] for row in await rows(db, broker_orders)}


def box_for(keys: Keys, text: str = "rien") -> bytes:
    return boxes.close(text.encode(), keys.instance_id, str(keys.box.as_dict(private=False)["x"]))


def at(db: Database, now: datetime = NOW, bounds: Bounds = FEW) -> Desk:
    return Desk(db=db, own=US, now=now, bounds=bounds)


async def passed_on(db: Database, link_id: UUID) -> int:
    return sum(row["link_id"] == link_id for row in await rows(db, border_outbox))


async def test_a_member_that_floods_another_is_refused_counted_and_read_no_further(db: Database) -> None:
    lille, namur, gand = [await linked(db, keys) for keys in (LILLE, NAMUR, GAND)]
    for _ in range(4):
        await sorting.take(at(db), gand, [box_for(NAMUR) for _ in range(6)])
    assert await passed_on(db, namur) == FEW.messages
    refused = [row for row in await rows(db, refusals) if row["link_id"] == gand]
    assert [row["reason"] for row in refused] == ["too_much"] * 3  # one of each batch, whatever is counted
    assert await refused_of(db, gand) == 4 * 6 - FEW.messages
    assert await orders(db) == {lille: "create", namur: "create", gand: "hold"}
    await sorting.take(at(db), lille, [box_for(NAMUR)])  # the others go on
    assert await passed_on(db, namur) == FEW.messages + 1

    await hub_bounds.go_on(db, now=NOW + timedelta(minutes=59))
    assert (await orders(db))[gand] == "hold"
    later = NOW + hub_bounds.HOUR
    await hub_bounds.go_on(db, now=later)
    assert (await orders(db))[gand] == "create"
    await sorting.take(at(db, later), gand, [box_for(NAMUR)])
    assert await passed_on(db, namur) == FEW.messages + 2


async def test_octets_count_too_and_a_paused_member_stays_paused(db: Database) -> None:
    namur, gand = [await linked(db, keys) for keys in (NAMUR, GAND)]
    large = box_for(NAMUR, "x" * 9_000)
    bounds = replace(FEW, messages=1000, octets=3 * len(large), waiting=1_000_000)
    async with db.transaction() as session:
        await linking.pause(session, gand)
    await sorting.take(at(db, bounds=bounds), gand, [large] * 5)
    assert await passed_on(db, namur) == 3
    assert (await orders(db))[gand] == "pause"


async def refused_of(db: Database, link_id: UUID) -> int:
    return {row["link_id"]: row["refused"] for row in await rows(db, positions)}.get(link_id, 0)


@pytest.mark.parametrize("bound", ["messages", "octets"])
async def test_who_floods_one_other_goes_on_towards_the_rest(db: Database, bound: str) -> None:
    lille, namur, gand = [await linked(db, keys) for keys in (LILLE, NAMUR, GAND)]
    size = len(box_for(NAMUR))
    share = {"messages_to_one": 3} if bound == "messages" else {"octets_to_one": 3 * size}
    bounds = replace(FEW, **share)
    for _ in range(4):
        await sorting.take(at(db, bounds=bounds), gand, [box_for(NAMUR) for _ in range(6)])
    await sorting.take(at(db, bounds=bounds), gand, [box_for(NAMUR), box_for(LILLE), box_for(NAMUR), box_for(LILLE)])
    assert (await passed_on(db, namur), await passed_on(db, lille)) == (3, 2)
    assert (await orders(db))[gand] == "create"
    assert await refused_of(db, gand) == 4 * 6 + 2 - 3
    details = {row["detail"] for row in await rows(db, refusals) if row["link_id"] == gand}
    assert details == {f"{GAND.instance_id[:8]} → {NAMUR.instance_id[:8]}"}
    await sorting.take(at(db, bounds=bounds), lille, [box_for(NAMUR)])  # what others send it is not counted together
    assert await passed_on(db, namur) == 4
    later = at(db, NOW + hub_bounds.HOUR, bounds)
    await sorting.take(later, gand, [box_for(NAMUR)])
    assert await passed_on(db, namur) == 5
    async with db.transaction() as session:
        link = await linking.get_for_update(session, namur)
        await linking.end(session, link, reason=None, tell=False, now=NOW)
    assert {row["to_link_id"] for row in await rows(db, traffic_to)} == {lille}


async def test_who_floods_one_other_without_end_is_read_no_further(db: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(hub_bounds, "READ_TIMES", 2)
    namur, gand = [await linked(db, keys) for keys in (NAMUR, GAND)]
    bounds = replace(FEW, messages_to_one=1)
    await sorting.take(at(db, bounds=bounds), gand, [box_for(NAMUR) for _ in range(1 + 2 * FEW.messages)])
    assert (await orders(db))[gand] == "create"
    await sorting.take(at(db, bounds=bounds), gand, [box_for(NAMUR)])
    assert ((await orders(db))[gand], await passed_on(db, namur)) == ("hold", 1)
    later = NOW + hub_bounds.HOUR
    await sorting.take(at(db, later, bounds), gand, [box_for(NAMUR)])  # a straggler does not prolong it
    await hub_bounds.go_on(db, now=later)
    assert (await orders(db))[gand] == "create"
    await sorting.take(at(db, later, bounds), gand, [box_for(NAMUR)])
    assert await passed_on(db, namur) == 2


async def test_for_one_that_is_away_no_more_is_kept_than_fits(db: Database) -> None:
    namur, gand = [await linked(db, keys) for keys in (NAMUR, GAND)]
    async with db.transaction() as session:
        full = sa.update(broker_orders).where(broker_orders.c.link_id == namur)
        await session.execute(full.values(waiting_octets=FEW.waiting + 1))
    await sorting.take(at(db), gand, [box_for(NAMUR) for _ in range(3)])
    assert await passed_on(db, namur) == 0
    assert {row["link_id"]: row["dropped"] for row in await rows(db, traffic)}[namur] == 3
    assert await rows(db, refusals) == []  # whoever sends is not to blame
    async with db.transaction() as session:
        link = await linking.get_for_update(session, namur)
        await linking.end(session, link, reason=None, tell=False, now=NOW)
    assert namur not in {row["link_id"] for row in await rows(db, traffic)}

"""What a hub passes on, without its broker: bounds for each member, whom it blames, what it keeps for one away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import OKPKey

from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import boxes, hub_bounds, linking, peer_keys, receiving, refusing, sorting
from services.federation.documents import Profile
from services.federation.gate import Refused
from services.federation.hub_tables import traffic
from services.federation.keys import ALGORITHM, Keys
from services.federation.sealed import TYP
from services.federation.settings import Bounds, FederationSettings
from services.federation.sorting import Desk
from services.federation.tables import border_outbox, broker_orders, links, positions, quarantine, refusals
from tests.instances import Instance

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEW = Bounds(messages=10, octets=1_000_000, waiting=5_000)


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
    assert [row["reason"] for row in refused] == ["too_much"] * (4 * 6 - FEW.messages)
    assert {row["link_id"]: row["refused"] for row in await rows(db, positions)}[gand] == len(refused)
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
    bounds = Bounds(messages=1000, octets=3 * len(large), waiting=1_000_000)
    async with db.transaction() as session:
        await linking.pause(session, gand)
    await sorting.take(at(db, bounds=bounds), gand, [large] * 5)
    assert await passed_on(db, namur) == 3
    assert (await orders(db))[gand] == "pause"


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


async def test_a_key_that_nobody_knows_counts_against_the_hub(db: Database, monkeypatch: Any) -> None:
    hub = await linked(db, US, "hub")
    lille = await linked(db, LILLE, "behind", hub)
    header = {"alg": ALGORITHM, "kid": GAND.signing_kid, "typ": TYP}
    body = jws.serialize_compact(header, b"{}", GAND.signing, algorithms=[ALGORITHM]).encode()
    await db.run(receiving.receive, lille, [body], own=US, now=NOW)
    assert [row["link_id"] for row in await rows(db, quarantine)] == [lille]
    async with db.reading() as session:
        link = (await session.execute(sa.select(links).where(links.c.id == lille))).mappings().one()
    assert await db.run(peer_keys.release, link, own=US, now=NOW) == 1
    monkeypatch.setattr(receiving, "QUARANTINED_AT_MOST", 0)
    await db.run(receiving.receive, lille, [body], own=US, now=NOW)
    assert [(row["link_id"], row["reason"]) for row in await rows(db, refusals)] == [(hub, "unknown_key")] * 2
    assert {row["link_id"]: row["refused"] for row in await rows(db, positions)} == {hub: 2, lille: 0}
    direct = await linked(db, NAMUR, "direct")
    async with db.transaction() as session:
        next_to_us = await linking.get_for_update(session, direct)
        await refusing.count(session, next_to_us, Refused("unknown_key", "kid"), body, now=NOW)
    assert {row["link_id"]: row["refused"] for row in await rows(db, positions)}[direct] == 1

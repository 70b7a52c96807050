"""Twenty members want three chairs for the same hour, again and again: never an excess, and everybody gets them."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import sqlalchemy as sa

from contracts.identity import MemberChanged, MemberState
from services.booking.app import build
from services.booking.loops import PlaceOfferer
from services.booking.settings import BookingSettings
from services.chassis.database_listener import Listener
from services.chassis.ids import new_id
from tests.instances import Instance
from tests.services.booking.workshop import Workshop, at, opened

MEMBERS, CHAIRS, TIMES = 20, 3, 2
POOLS = {"db_pool_size": 16, "db_max_overflow": 0}

# Independent of the functions of the database: the level at every instant at which something begins.
MOST = """
    SELECT max(level) FROM (
        SELECT (SELECT sum(b.quantity) FROM bookings b
                WHERE b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
                  AND lower(b.occupied) <= lower(a.occupied) AND lower(a.occupied) < upper(b.occupied)) AS level
        FROM bookings a WHERE a.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
    ) levels
"""


async def test_never_an_excess_and_nobody_starves(instance: Instance) -> None:
    async with crowd(instance) as (workshop, clients):
        chance = random.Random(11)
        done: list[str] = []
        async with asyncio.timeout(240):
            watcher = asyncio.create_task(_watch(workshop))
            await asyncio.gather(*(_live(workshop, client, random.Random(chance.random()), done) for client in clients))
            watcher.cancel()
            (seen,) = await asyncio.gather(watcher, return_exceptions=True)
            assert isinstance(seen, asyncio.CancelledError), seen
        assert len(done) == MEMBERS * TIMES
        assert await _most(workshop) in {None, 0}


async def _live(workshop: Workshop, client: httpx.AsyncClient, chance: random.Random, done: list[str]) -> None:
    """Get the chairs, use them for a moment, give them back; as often as everybody else."""
    for _ in range(TIMES):
        wanted: dict[str, Any] = {"quantity": chance.randint(1, CHAIRS)}
        booking_id = await _get(workshop, client, wanted)
        await asyncio.sleep(chance.random() / 20)
        cancelled = await client.post(f"/bookings/{booking_id}/cancel", json={})
        assert cancelled.status_code == 200, cancelled.text
        done.append(booking_id)


async def _get(workshop: Workshop, client: httpx.AsyncClient, wanted: dict[str, Any]) -> str:
    while True:
        booked = await workshop.book(client, at(10), at(11), **wanted)
        if booked.status_code == 201:
            return booked.json()["id"]
        assert booked.status_code == 409, booked.text
        body = {"offer_id": str(workshop.laser), "start": at(10).isoformat(), "end": at(11).isoformat(), **wanted}
        joined = await client.post("/waiting", json=body)
        if joined.status_code == 409:
            assert "free-now" in joined.json()["type"], joined.text
            continue
        assert joined.status_code == 201, joined.text
        while True:
            (mine,) = (await client.get("/waiting")).json()["items"]
            if mine["status"] == "offered":
                accepted = await client.post(f"/waiting/{mine['id']}/accept")
                assert accepted.status_code == 201, accepted.text
                return accepted.json()["id"]
            await asyncio.sleep(0.05)


async def _watch(workshop: Workshop) -> None:
    while True:
        assert (await _most(workshop) or 0) <= CHAIRS
        await asyncio.sleep(0.02)


async def _most(workshop: Workshop) -> int | None:
    async with workshop.db.reading() as session:
        return (await session.execute(sa.text(MOST))).scalar_one()


@asynccontextmanager
async def crowd(instance: Instance) -> AsyncGenerator[tuple[Workshop, list[httpx.AsyncClient]]]:
    """Members of whom half reach booking through a second replica; both replicas hand out."""
    async with opened(instance, **POOLS) as workshop, AsyncExitStack() as stack:
        await workshop.rules(capacity=CHAIRS)
        replica = build(instance.settings(BookingSettings, **POOLS))
        assert replica.database is not None
        stack.push_async_callback(replica.database.close)
        clients: list[httpx.AsyncClient] = []
        for number in range(MEMBERS):
            name = f"Membre {number}"
            member = MemberState(id=new_id(), name=name, role="member", status="active", locale="fr", version=1)
            await workshop.hear(MemberChanged(member=member))
            token = instance.token(member_id=member.id, name=name)
            service = (workshop.service, replica)[number % 2]
            clients.append(await stack.enter_async_context(instance.client(service, token)))
        loops: list[asyncio.Task[None]] = []
        for db in (workshop.db, replica.database):
            heard = Listener(db.url, "places")
            loops += [asyncio.create_task(heard.run()), asyncio.create_task(PlaceOfferer(db, heard).run())]
        yield workshop, clients
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

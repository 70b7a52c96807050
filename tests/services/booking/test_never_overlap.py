"""Rule 1 under fire: many clients, two replicas, one hour that everybody wants."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from contracts.booking import BusyChanged
from services.booking.app import build
from services.booking.settings import BookingSettings
from services.chassis.ids import new_id
from tests.instances import Instance
from tests.services.booking.workshop import Workshop, at, opened

CLIENTS = 32
ROUNDS = 20
# So that whoever is quick wins more than ten rounds and is not told to wait for an answer first.
POOLS = {"db_pool_size": 16, "db_max_overflow": 0, "booking_pending_per_member": 100}

# Independent of the constraint: compares every pair of rows by their own times.
OVERLAPS = """
    SELECT count(*) FROM bookings a JOIN bookings b ON a.offer_id = b.offer_id AND a.id < b.id
    WHERE a.resource_origin IS NULL AND b.resource_origin IS NULL
      AND a.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
      AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
      AND lower(a.occupied) < upper(b.occupied) AND lower(b.occupied) < upper(a.occupied)
"""


@pytest.fixture
async def crowd(instance: Instance) -> AsyncGenerator[tuple[Workshop, list[httpx.AsyncClient]]]:
    """The workshop, and 32 members of whom half reach it through a second replica."""
    async with opened(instance, **POOLS) as workshop, AsyncExitStack() as stack:
        replica = build(instance.settings(BookingSettings, **POOLS))
        assert replica.database is not None
        stack.push_async_callback(replica.database.close)
        services = (workshop.service, replica)
        clients = [
            await stack.enter_async_context(
                instance.client(services[number % 2], instance.token(member_id=new_id(), name=f"Membre {number}"))
            )
            for number in range(CLIENTS)
        ]
        yield workshop, clients


async def overlaps(workshop: Workshop) -> int:
    async with workshop.db.reading() as session:
        return (await session.execute(sa.text(OVERLAPS))).scalar_one()


@pytest.mark.parametrize("approval", ["automatic", "owner"])
async def test_exactly_one_of_many_gets_the_hour(
    crowd: tuple[Workshop, list[httpx.AsyncClient]], approval: str
) -> None:
    workshop, clients = crowd
    await workshop.rules(approval=approval, horizon_days=90)
    for number in range(ROUNDS):
        start = at(10, days=3 + number)
        answers = await asyncio.gather(
            *(workshop.book(client, start, start + timedelta(hours=1)) for client in clients)
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + [409] * (CLIENTS - 1), (number, statuses)
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["alternatives"], refused.text
    assert await overlaps(workshop) == 0


async def test_no_overlap_and_no_lost_hour_when_all_book_and_cancel_at_random(
    crowd: tuple[Workshop, list[httpx.AsyncClient]],
) -> None:
    workshop, clients = crowd
    await workshop.rules(buffer_after_minutes=30)
    chance = random.Random(7)
    wishes = [[_wish(chance) for _ in range(6)] for _ in clients]

    async def act(client: httpx.AsyncClient, mine: list[tuple[datetime, datetime, bool]]) -> list[int]:
        seen: list[int] = []
        for start, end, repents in mine:
            answer = await workshop.book(client, start, end)
            seen.append(answer.status_code)
            if answer.status_code == 201 and repents:
                cancelled = await client.post(f"/bookings/{answer.json()['id']}/cancel", json={})
                assert cancelled.status_code == 200, cancelled.text
        return seen

    codes = await asyncio.gather(*(act(client, mine) for client, mine in zip(clients, wishes, strict=True)))
    assert {code for one in codes for code in one} == {201, 409}
    assert await overlaps(workshop) == 0
    await _busy_times_told_last_are_those_in_the_rows(workshop)


async def _busy_times_told_last_are_those_in_the_rows(workshop: Workshop) -> None:
    told = await workshop.said(BusyChanged)
    versions = [event.version for event in told]
    assert sorted(versions) == list(range(min(versions), max(versions) + 1))
    newest = max(told, key=lambda event: event.version)
    async with workshop.db.reading() as session:
        rows = sa.text("SELECT lower(occupied), upper(occupied) FROM bookings WHERE status = 'confirmed' ORDER BY 1")
        occupied = [(row[0], row[1]) for row in await session.execute(rows)]
    minutes = {instant for start, end in occupied for instant in _minutes(start, end)}
    assert {instant for one in newest.busy for instant in _minutes(one.start, one.end)} == minutes


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + timedelta(minutes=number) for number in range(int((end - start) / timedelta(minutes=1)))]


def _wish(chance: random.Random) -> tuple[datetime, datetime, bool]:
    start = at(8, days=3) + timedelta(minutes=30 * chance.randrange(20))
    return start, start + timedelta(minutes=30 * chance.randrange(1, 5)), chance.random() < 0.4

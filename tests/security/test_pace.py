"""Nobody changes more in a short time than people do, whichever replica and route they go by; the others go on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from services.catalog.app import build
from services.catalog.settings import CatalogSettings
from services.catalog.tables import listings
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.pace import LOT, Pace, TooManyChanges
from tests.instances import Instance
from tests.security.test_trail import acts_of, services_of

FORM = {"side": "offer", "kind": "machine", "title": "Découpeuse laser", "text": "60 × 40 cm, 80 W"}


async def replicas(instance: Instance, number: int, **settings: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of one member, each at a replica of its own."""
    made = [build(instance.settings(CatalogSettings, **settings)) for _ in range(number)]
    token = instance.token(member_id=new_id())
    yield [instance.client(one, token) for one in made]
    for one in made:
        assert one.database is not None
        await one.database.close()


@pytest.fixture
async def two(instance: Instance) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two replicas at which a member may make 40 changes at once."""
    async for clients in replicas(instance, 2, changes_at_once=40, changes_per_minute=1):
        yield clients


@pytest.fixture
async def database(instance: Instance) -> AsyncIterator[Database]:
    kept = Database(instance.settings().database_url("catalog"))
    yield kept
    await kept.close()


async def published(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(sa.select(sa.func.count()).select_from(listings))).scalar_one()


async def test_changes_are_counted_over_all_replicas_and_reading_is_not(
    two: list[httpx.AsyncClient], database: Database
) -> None:
    answers = await asyncio.gather(*(two[number % 2].post("listings", json=FORM) for number in range(60)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {201, 429}
    assert statuses.count(201) == await published(database) == 40
    refused = answers[statuses.index(429)]
    assert refused.json()["type"] == "urn:maillage:problem:too-many-changes"
    assert refused.json()["detail"].startswith("Cela fait beaucoup de changements en peu de temps.")
    assert 60 * (LOT - 1) < int(refused.headers["retry-after"]) <= 60 * LOT + 1
    assert (await two[0].get("listings")).status_code == 200


async def test_others_are_not_hindered(instance: Instance, two: list[httpx.AsyncClient]) -> None:
    await asyncio.gather(*(two[0].post("listings", json=FORM) for _ in range(41)))
    assert (await two[0].post("listings", json=FORM)).status_code == 429
    other = {"Authorization": f"Bearer {instance.token(member_id=new_id())}"}
    assert (await two[0].post("listings", json=FORM, headers=other)).status_code == 201


async def test_what_was_used_comes_back_with_time_and_never_more_than_that(database: Database) -> None:
    pace = Pace(database, service="catalog", at_once=20, per_minute=1)
    ana = new_id()

    async def take_all() -> int:
        for taken in range(1000):
            try:
                await pace.take(ana)
            except TooManyChanges:
                return taken
        raise AssertionError("no end")

    async def pass_time(minutes: int) -> None:
        async with database.transaction() as session:
            earlier = sa.text("UPDATE paces SET paid_until = paid_until - :time").bindparams(
                time=timedelta(minutes=minutes)
            )
            await session.execute(earlier)

    assert await take_all() == 20
    assert await take_all() == 0
    await pass_time(LOT)
    assert await take_all() == LOT
    await pass_time(10_000)
    assert await take_all() == 20
    await pass_time(-10_000)  # the server's clock was set back
    assert await take_all() == LOT
    await pass_time(LOT)
    assert await take_all() == 0
    await pass_time(LOT)
    assert await take_all() == LOT


async def test_no_route_forgets_to_count(instance: Instance) -> None:
    """Every change that somebody signed in can make, in every service, is refused when nothing is left."""
    walked = 0
    for service in services_of(instance):
        assert service.database is not None
        member = new_id()
        pace = Pace(service.database, service=service.name, at_once=1, per_minute=1)
        service.app.state.pace = pace
        await pace.take(member)
        async with instance.client(service, instance.token(member_id=member, role="administrator")) as client:
            for act in sorted(acts_of(service.app, service.name)):
                _, method, path = act.split(" ")
                answer = await client.request(method, path.replace("{", "").replace("}", ""))
                walked += 1
                assert answer.status_code == 429, act
        await service.database.close()
    assert walked > 80

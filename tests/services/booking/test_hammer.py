"""Rule 1 under fire, for exclusive resources and for capacity: 64 members over two replicas."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.booking.app import build
from services.booking.settings import BookingSettings
from services.chassis.ids import new_id
from tests.instances import Instance
from tests.services.booking.hammer import EXCESS, Hammer
from tests.services.booking.workshop import Workshop, at, opened

MEMBERS = 64
ROUNDS = 12
POOLS = {"db_pool_size": 8, "db_max_overflow": 8}


@pytest.fixture
async def crowd(instance: Instance) -> AsyncGenerator[tuple[Workshop, list[httpx.AsyncClient]]]:
    """The workshop, and 64 members of whom half reach it through a second replica."""
    async with opened(instance, **POOLS) as workshop, AsyncExitStack() as stack:
        replica = build(instance.settings(BookingSettings, **POOLS))
        assert replica.database is not None
        stack.push_async_callback(replica.database.close)
        services = (workshop.service, replica)
        clients = [
            await stack.enter_async_context(
                instance.client(services[number % 2], instance.token(member_id=new_id(), name=f"Membre {number}"))
            )
            for number in range(MEMBERS)
        ]
        yield workshop, clients


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("capacity", "buffer"), [(1, 30), (7, 0)])
async def test_never_too_many_and_nobody_refused_in_vain(
    crowd: tuple[Workshop, list[httpx.AsyncClient]], capacity: int, buffer: int
) -> None:
    workshop, clients = crowd
    await workshop.rules(capacity=capacity, buffer_after_minutes=buffer)
    report = await Hammer(workshop, clients, capacity, buffer=timedelta(minutes=buffer)).run(ROUNDS)
    print("\n".join(report.lines()))
    assert report.excess == 0
    assert report.refused_in_vain == 0
    assert {answer.split()[1] for answer in report.answers} <= {"200", "201", "403", "404", "409"}
    assert report.answers["bookings 201"] >= MEMBERS // 8


async def test_the_count_sees_an_excess(crowd: tuple[Workshop, list[httpx.AsyncClient]]) -> None:
    """The hammer's own check fails where the database would let too much in."""
    workshop, (client, *_) = crowd
    await workshop.rules(capacity=2)
    assert (await workshop.book(client, at(9), at(11), quantity=2)).status_code == 201
    async with workshop.db.reading() as session:
        assert (await session.execute(sa.text(EXCESS))).scalar_one() == 0
        over = EXCESS.replace("r.capacity HAVING sum(e.quantity) > r.capacity", "r.capacity HAVING sum(e.quantity) > 1")
        assert (await session.execute(sa.text(over))).scalar_one() == 1


async def test_no_statement_gets_past_the_database(crowd: tuple[Workshop, list[httpx.AsyncClient]]) -> None:
    """Whatever writes rows, with rules or without: never more than there is, and never blind to what others commit."""
    workshop, (client, *_) = crowd
    await workshop.rules(capacity=3)
    assert (await workshop.book(client, at(9), at(11), quantity=2)).status_code == 201
    booked = (await workshop.book(client, at(12), at(13), quantity=3)).json()
    for statement in (
        "UPDATE bookings SET quantity = 4 WHERE quantity = 2",
        "UPDATE bookings SET occupied = tstzrange(:start, :end) WHERE quantity = 3",
        "UPDATE resources SET capacity = 2",
    ):
        with pytest.raises(DBAPIError, match=r"would be taken|are booked"):
            await workshop.sql(statement, **({"start": at(9), "end": at(13)} if ":start" in statement else {}))
    async with workshop.db.engine.connect() as connection:
        blind = await connection.execution_options(isolation_level="REPEATABLE READ")
        with pytest.raises(DBAPIError, match="READ COMMITTED"):
            await blind.execute(sa.text("UPDATE bookings SET quantity = 1 WHERE id = :id"), {"id": booked["id"]})

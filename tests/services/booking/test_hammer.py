"""Rule 1 under fire, for exclusive resources and for capacity: 64 members over two replicas."""

from collections.abc import AsyncGenerator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.hammer.crowd import Crowd, gathered
from tests.hammer.sweep import EXCESS, PEAK
from tests.instances import Instance
from tests.services.booking.workshop import at

MEMBERS = 64
ROUNDS = 8
EXPECTED = {"200", "201", "403", "404", "409"}


@pytest.fixture
async def crowd(instance: Instance) -> AsyncGenerator[Crowd]:
    """64 members of whom half reach the workshop through a second replica."""
    async with gathered(instance, members=MEMBERS, replicas=2) as made:
        yield made


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("capacity", "buffer"), [(1, 30), (7, 0)])
async def test_never_too_many_and_nobody_refused_in_vain(crowd: Crowd, capacity: int, buffer: int) -> None:
    report = await crowd.hammer(ROUNDS, capacity=capacity, buffer_minutes=buffer)
    print("\n".join(report.lines()))
    assert (report.excess, report.refused_in_vain, report.lost) == (0, 0, 0)
    assert {answer.split()[-1 if answer[-1].isdigit() else -2] for answer in report.answers} <= EXPECTED
    assert report.answers["bookings 201"] >= MEMBERS // 8
    assert report.answers["series 201"] >= 1
    assert report.refusals >= MEMBERS


async def test_the_count_sees_an_excess(crowd: Crowd) -> None:
    """The hammer's own check fails where the database would let too much in."""
    workshop, client = crowd.workshop, crowd.clients[0]
    await workshop.rules(capacity=2)
    assert (await workshop.book(client, at(9), at(11), quantity=2)).status_code == 201
    async with workshop.db.reading() as session:
        assert (await session.execute(sa.text(EXCESS))).scalar_one() == 0
        hour = {"offer": workshop.laser, "start": at(10), "end": at(12)}
        assert (await session.execute(sa.text(PEAK), hour)).scalar_one() == 2
        assert (await session.execute(sa.text(PEAK), hour | {"start": at(11)})).scalar_one() == 0
        over = EXCESS.replace("r.capacity HAVING sum(e.quantity) > r.capacity", "r.capacity HAVING sum(e.quantity) > 1")
        assert (await session.execute(sa.text(over))).scalar_one() == 1


async def test_no_statement_gets_past_the_database(crowd: Crowd) -> None:
    """Whatever writes rows, with rules or without: never more than there is, and never blind to what others commit."""
    workshop, client = crowd.workshop, crowd.clients[0]
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

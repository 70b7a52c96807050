"""Many people at once, two replicas, few seats; and what the database refuses by itself."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.booking.app import build
from services.booking.settings import BookingSettings
from services.chassis.ids import new_id
from tests.instances import Instance
from tests.services.booking.sessions import Meetings, planned, sign_up
from tests.services.booking.workshop import Workshop, opened

CLIENTS = 24
POOLS = {"db_pool_size": 16, "db_max_overflow": 0}
ROLES = [
    {"code": "client", "label": "Client·e", "minimum": 1, "maximum": 1},
    {"code": "consultant", "label": "Consultant·e", "minimum": 4, "maximum": 8},
]

ANOTHER_OF_THE_SAME = """
    INSERT INTO session_sign_ups
        (id, session_id, role, role_maximum, member_id, member_name, state, answers, signed_up_at, changed_at)
    SELECT gen_random_uuid(), session_id, role, role_maximum, member_id, 'x', 'waiting', '{}', now(), now()
    FROM session_sign_ups WHERE state = 'taken'
"""


@pytest.fixture
async def crowd(instance: Instance) -> AsyncGenerator[tuple[Workshop, list[httpx.AsyncClient]]]:
    """Half of the people reach a second replica."""
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


async def counted(workshop: Workshop, session_id: str) -> dict[tuple[str, str], int]:
    """Rows by role and state, without the help of any rule."""
    statement = "SELECT role, state, count(*) FROM session_sign_ups WHERE session_id = :id GROUP BY 1, 2"
    async with workshop.db.reading() as session:
        rows = (await session.execute(sa.text(statement), {"id": session_id})).all()
    return {(row[0], row[1]): row[2] for row in rows}


async def test_as_many_as_there_are_seats_sit_and_the_others_wait_in_one_line(
    crowd: tuple[Workshop, list[httpx.AsyncClient]],
) -> None:
    workshop, clients = crowd
    session_id = await planned(workshop.as_ana, roles=ROLES)
    places = await asyncio.gather(*(sign_up(client, session_id, "consultant") for client in clients))
    assert sum(place["state"] == "taken" for place in places) == 8
    assert await counted(workshop, session_id) == {("consultant", "taken"): 8, ("consultant", "waiting"): CLIENTS - 8}
    positions = [place["position"] for place in places if place["state"] == "waiting"]
    assert sorted(positions) == list(range(1, CLIENTS - 7))


async def test_nobody_sits_twice_whatever_they_send_at_once(
    crowd: tuple[Workshop, list[httpx.AsyncClient]],
) -> None:
    workshop, clients = crowd
    session_id = await planned(workshop.as_ana, roles=ROLES)
    path = f"/sessions/{session_id}/sign-up"
    sent = [clients[0].post(path, json={"role": role}) for role in ("client", "consultant") * 4]
    assert sorted(answer.status_code for answer in await asyncio.gather(*sent)) == [200] + [409] * 7
    assert sum((await counted(workshop, session_id)).values()) == 1


async def test_seats_hold_when_all_come_and_go_at_random(crowd: tuple[Workshop, list[httpx.AsyncClient]]) -> None:
    workshop, clients = crowd
    session_id = await planned(workshop.as_ana, roles=ROLES)
    chance = random.Random(7)

    async def act(client: httpx.AsyncClient, choices: list[tuple[str, dict[str, Any]]]) -> set[int]:
        return {(await client.post(f"/sessions/{session_id}/{what}", json=body)).status_code for what, body in choices}

    wishes: list[tuple[str, dict[str, Any]]] = [
        ("sign-up", {"role": "client"}), ("sign-up", {"role": "consultant"}), ("leave", {}), ("accept", {})
    ]  # fmt: skip
    codes = await asyncio.gather(*(act(client, [chance.choice(wishes) for _ in range(8)]) for client in clients))
    assert {code for one in codes for code in one} <= {200, 409}
    found = await counted(workshop, session_id)
    for role, maximum in (("client", 1), ("consultant", 8)):
        held = found.get((role, "taken"), 0) + found.get((role, "offered"), 0)
        assert held <= maximum
        assert held == maximum or found.get((role, "waiting"), 0) == 0
    events = [event for event in await workshop.said() if str(event.session.id) == session_id]
    last = max(events, key=lambda event: event.session.version)
    assert {(role.code, "taken"): role.taken for role in last.session.roles if role.taken} == {
        key: number for key, number in found.items() if key[1] == "taken"
    }


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE session_sign_ups SET seat = 1, state = 'taken' WHERE state = 'waiting'", "session_seats_once"),
        (
            "UPDATE session_sign_ups SET seat = 2, state = 'taken' WHERE state = 'waiting'",
            "session_seats_within_maximum",
        ),
        ("UPDATE session_sign_ups SET state = 'taken' WHERE state = 'waiting'", "session_seats_are_held"),
        ("UPDATE session_sign_ups SET role_maximum = 5", "session_sign_ups_of_role"),
        (ANOTHER_OF_THE_SAME, "session_sign_ups_one_each"),
    ],
)
async def test_the_database_refuses_by_itself(workshop: Workshop, statement: str, guard: str) -> None:
    bea, carl = await Meetings(workshop).people("Bea", "Carl")
    session_id = await planned(workshop.as_ana)
    await sign_up(bea, session_id)
    await sign_up(carl, session_id)
    with pytest.raises(IntegrityError, match=guard):
        await workshop.sql(statement)


async def test_the_database_takes_no_seat_away_that_is_held(workshop: Workshop) -> None:
    bea, carl = await Meetings(workshop).people("Bea", "Carl")
    session_id = await planned(workshop.as_ana, roles=[{"code": "client", "label": "C", "maximum": 2}])
    await sign_up(bea, session_id)
    await sign_up(carl, session_id)
    with pytest.raises(IntegrityError, match="session_seats_within_maximum"):
        await workshop.sql("UPDATE session_roles SET maximum = 1")

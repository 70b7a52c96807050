"""The waiting list when things happen at once: replicas, the end of the time, a loop that is woken; and big wishes."""

import asyncio
from uuid import UUID

import httpx
import pytest

from contracts.booking import PlaceOffered
from services.booking import loops
from services.booking.commands.handing_out import note_time_is_over
from services.booking.loops import PlaceOfferer
from services.chassis.database_listener import Listener
from tests.services.booking.test_waiting import booked, look, mine, pass_time, someone, waits
from tests.services.booking.workshop import Workshop, at


async def test_accepting_and_the_end_of_the_time_at_once_come_to_one_outcome(workshop: Workshop) -> None:
    ben = await someone(workshop, "Ben")
    for day in range(3, 9):
        held = await booked(workshop, workshop.as_chloe, at(9, days=day), at(12, days=day))
        one = await waits(workshop, workshop.as_ana, at(9, days=day), at(12, days=day))
        two = await waits(workshop, ben, at(9, days=day), at(12, days=day))
        await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
        await look(workshop)

        async def in_time(waiting_id: str) -> httpx.Response:
            return await workshop.as_ana.post(f"/waiting/{waiting_id}/accept")

        async def over(waiting_id: str) -> None:
            await pass_time(workshop, waiting_id)
            await workshop.db.run(note_time_is_over)
            await look(workshop)

        answer, _ = await asyncio.gather(in_time(one["id"]), over(one["id"]))
        next_one = (await ben.get(f"/waiting/{two['id']}")).json()["status"]
        assert (answer.status_code, next_one) in {(201, "waiting"), (410, "offered")}
        await ben.post(f"/waiting/{two['id']}/leave")


async def test_two_replicas_hand_out_once(workshop: Workshop) -> None:
    await workshop.rules(capacity=4)
    held = await booked(workshop, workshop.as_chloe, at(9), at(12), quantity=4)
    people = [await someone(workshop, f"Membre {number}") for number in range(6)]
    for person in people:
        await waits(workshop, person, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await asyncio.gather(*(look(workshop) for _ in range(4)))
    assert [(await mine(person))[0]["status"] for person in people] == ["offered"] * 4 + ["waiting"] * 2
    assert len(await workshop.said(PlaceOffered)) == 4


async def test_what_becomes_free_adds_up_for_a_big_wish_that_was_passed_over(workshop: Workshop) -> None:
    await workshop.rules(capacity=3)
    small = [await booked(workshop, workshop.as_chloe, at(9), at(12)) for _ in range(3)]
    ben, zoe = await someone(workshop, "Ben"), await someone(workshop, "Zoé")
    await waits(workshop, workshop.as_ana, at(9), at(12), quantity=3)
    await waits(workshop, ben, at(9), at(12))
    await waits(workshop, zoe, at(9), at(12))

    async def free(booking_id: UUID) -> list[str]:
        await workshop.as_chloe.post(f"/bookings/{booking_id}/cancel", json={})
        await look(workshop)
        return [(await mine(person))[0]["status"] for person in (workshop.as_ana, ben, zoe)]

    assert await free(small[0]) == ["waiting", "offered", "waiting"]
    (wish,) = await mine(ben)
    taken = (await ben.post(f"/waiting/{wish['id']}/accept")).json()
    await workshop.as_chloe.post(f"/bookings/{small[1]}/cancel", json={})
    await look(workshop)
    (kept,) = await mine(workshop.as_ana)
    assert (kept["status"], kept["kept_until"] is not None) == ("waiting", True)
    assert (await mine(zoe))[0]["status"] == "waiting"
    assert (await workshop.book(workshop.as_omar, at(10), at(11))).status_code == 409
    await workshop.as_chloe.post(f"/bookings/{small[2]}/cancel", json={})
    await ben.post(f"/bookings/{taken['id']}/cancel", json={})
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "offered"
    assert (await mine(zoe))[0]["status"] == "waiting"


async def until_offered(client: httpx.AsyncClient) -> None:
    while True:
        if (await mine(client))[0]["status"] == "offered":
            return
        await asyncio.sleep(0.02)


async def test_the_loop_is_woken_within_a_moment(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FALLING_ASLEEP", (600.0,))  # by itself it would not look before the test is over
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    await waits(workshop, workshop.as_ana, at(9), at(12))
    heard = Listener(workshop.db.url, "places")
    running = [asyncio.create_task(heard.run()), asyncio.create_task(PlaceOfferer(workshop.db, heard).run())]
    await asyncio.sleep(0.5)
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    async with asyncio.timeout(60):
        await until_offered(workshop.as_ana)
    for one in running:
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)

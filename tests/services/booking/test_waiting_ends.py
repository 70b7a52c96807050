"""Wishes on the waiting list: which there can be, what wakes them, and how they end."""

from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa

from contracts.booking import PlaceOffered
from contracts.catalog import ListingWithdrawn
from contracts.identity import CircleChanged, CircleState
from services.booking.commands.handing_out import note_time_is_over
from services.booking.loops import Sweeper
from services.chassis.ids import new_id
from tests.services.booking.test_waiting import booked, look, mine, someone, wait, waits
from tests.services.booking.workshop import Workshop, at


async def test_what_cannot_be_waited_for(workshop: Workshop) -> None:
    assert slug(await wait(workshop, workshop.as_ana, at(9), at(12))) == "booking/free-now"
    await booked(workshop, workshop.as_chloe, at(8), at(16))
    outside = await wait(workshop, workshop.as_ana, at(6), at(9))
    assert (outside.status_code, outside.json()["errors"][0]["code"]) == (422, "outside_hours")
    assert (await wait(workshop, workshop.as_ana, at(9), at(10), quantity=2)).status_code == 422
    crossing = await wait(workshop, workshop.as_ana, at(9), at(10), origin="peer")
    assert slug(crossing) == "booking/no-waiting-across-border"
    for hour in range(8, 13):
        await waits(workshop, workshop.as_ana, at(hour), at(hour + 1))
    assert slug(await wait(workshop, workshop.as_ana, at(9), at(11))) == "booking/already-waiting"
    assert slug(await wait(workshop, workshop.as_ana, at(14), at(15))) == "booking/too-many-wishes"


def slug(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:maillage:problem:")


async def test_the_same_key_waits_once(workshop: Workshop) -> None:
    await booked(workshop, workshop.as_chloe, at(8), at(16))
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(10).isoformat()}
    answers = [await workshop.as_ana.post("/waiting", json=body, headers={"Idempotency-Key": "k"}) for _ in "12"]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_wishes_end_by_themselves(workshop: Workshop) -> None:
    await booked(workshop, workshop.as_chloe, at(8), at(16))
    ben = await someone(workshop, "Ben")
    one = await waits(workshop, workshop.as_ana, at(9), at(10))
    await waits(workshop, ben, at(9), at(10))
    await workshop.sql("UPDATE waiting SET starts_at = now() - interval '1 s' WHERE id = :id", id=UUID(one["id"]))
    assert await workshop.db.run(note_time_is_over) == 1
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "ended"
    await workshop.hear(ListingWithdrawn(id=workshop.laser, side="offer", version=99, reason="withdrawn"))
    await look(workshop)
    assert (await mine(ben))[0]["status"] == "ended"


async def test_quotas_are_asked_when_a_place_is_accepted_and_the_offer_stands(workshop: Workshop) -> None:
    quota = {"scope": "member", "per": "week", "unit": "bookings", "most": 1}
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    one = await waits(workshop, workshop.as_ana, at(9), at(12))
    other = await booked(workshop, workshop.as_ana, at(14), at(15))
    await workshop.rules(terms={"quotas": [quota]})
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await look(workshop)
    assert slug(await workshop.as_ana.post(f"/waiting/{one['id']}/accept")) == "booking/quota-reached"
    await workshop.as_ana.post(f"/bookings/{other}/cancel", json={})
    assert (await workshop.as_ana.post(f"/waiting/{one['id']}/accept")).status_code == 201


async def test_a_member_who_may_book_from_now_on_wakes_the_line(workshop: Workshop) -> None:
    """A place that nobody in the line might take is theirs once their role or circle allows it."""
    circle = new_id()
    taken = await booked(workshop, workshop.as_chloe, at(9), at(12))
    await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.rules(terms={"circle_ids": [str(circle)]})
    await workshop.as_chloe.post(f"/bookings/{taken}/cancel", json={})
    await look(workshop)
    await workshop.said()
    members = CircleState(id=circle, name="Bois", purpose="", member_ids=[workshop.ana], status="active", version=1)
    await workshop.hear(CircleChanged(circle=members))
    await look(workshop)
    (offered,) = await workshop.said(PlaceOffered)
    assert offered.waiting.member_id == workshop.ana


async def test_wishes_that_ended_are_forgotten_after_a_year(workshop: Workshop) -> None:
    await booked(workshop, workshop.as_chloe, at(9), at(12))
    left, open_ = [await waits(workshop, workshop.as_ana, at(hour), at(hour + 1)) for hour in (9, 10)]
    await workshop.as_ana.post(f"/waiting/{left['id']}/leave")
    await Sweeper(workshop.db, seconds=60).sweep()
    assert len(await rows(workshop)) == 2
    await workshop.sql("UPDATE waiting SET changed_at = now() - interval '367 days'")
    await Sweeper(workshop.db, seconds=60).sweep()
    assert [str(row.id) for row in await rows(workshop)] == [open_["id"]]


async def rows(workshop: Workshop) -> list[Any]:
    async with workshop.db.reading() as session:
        return list(await session.execute(sa.text("SELECT id FROM waiting")))

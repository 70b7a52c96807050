"""The waiting list: each way of freeing a place offers it to the next, and nobody overtakes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from contracts.booking import BookingConfirmed, PlaceOffered, WaitingChanged, WaitingEvent
from contracts.identity import MemberChanged, MemberState
from services.booking.loops import PlaceOfferer, Sweeper
from services.chassis.database_listener import Listener
from services.chassis.ids import new_id
from tests.services.booking.test_series import book as book_series
from tests.services.booking.test_series import booked as booked_series
from tests.services.booking.test_series import local_day
from tests.services.booking.workshop import EVERY_DAY, Workshop, at

KEPT = sa.text("SELECT id FROM bookings WHERE status = 'held' AND waiting_id IS NOT NULL")


async def wait(
    workshop: Workshop, client: httpx.AsyncClient, start: datetime, end: datetime, **more: Any
) -> httpx.Response:
    body = {"offer_id": str(workshop.laser), "start": start.isoformat(), "end": end.isoformat(), **more}
    return await client.post("/waiting", json=body)


async def waits(
    workshop: Workshop, client: httpx.AsyncClient, start: datetime, end: datetime, **more: Any
) -> dict[str, Any]:
    answer = await wait(workshop, client, start, end, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def look(workshop: Workshop) -> None:
    """What the loop of the service does when it is woken."""
    loop = PlaceOfferer(workshop.db, Listener(workshop.db.url, "places"))
    await loop.hand_out_due()


async def mine(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/waiting")).json()["items"]


async def someone(workshop: Workshop, name: str) -> httpx.AsyncClient:
    """A further member."""
    member = MemberState(id=new_id(), name=name, role="member", status="active", locale="fr", version=1)
    await workshop.hear(MemberChanged(member=member))
    return workshop.client(member.id, name=name)


async def booked(workshop: Workshop, client: httpx.AsyncClient, start: datetime, end: datetime, **more: Any) -> UUID:
    answer = await workshop.book(client, start, end, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_place_is_offered_in_order_and_accepted(workshop: Workshop) -> None:
    first = await booked(workshop, workshop.as_chloe, at(9), at(12))
    ben = await someone(workshop, "Ben")
    one = await waits(workshop, workshop.as_ana, at(9), at(12), note="Pour l'enseigne")
    two = await waits(workshop, ben, at(10), at(11))
    assert (one["position"], two["position"], one["status"]) == (1, 2, "waiting")
    listed = (await workshop.as_omar.get(f"/resources/{workshop.laser}/waiting")).json()["items"]
    assert [(row["member_name"], row["position"]) for row in listed] == [("Ana", 1), ("Ben", 2)]
    seen = (await ben.get(f"/resources/{workshop.laser}/waiting")).json()["items"]
    assert [(row["member_name"], row["note"]) for row in seen] == [(None, ""), ("Ben", "")]
    await workshop.said()
    await workshop.as_chloe.post(f"/bookings/{first}/cancel", json={})
    await look(workshop)
    (offered,) = await workshop.said(PlaceOffered)
    assert (offered.waiting.member_id, offered.waiting.status) == (workshop.ana, "offered")
    (shown,) = await mine(workshop.as_ana)
    assert (shown["status"], shown["accept_by"] is not None) == ("offered", True)
    assert (await mine(ben))[0]["position"] == 1
    assert (await workshop.book(ben, at(10), at(11))).status_code == 409
    assert (await ben.post(f"/waiting/{one['id']}/accept")).status_code == 404
    assert (await workshop.as_ana.get("/bookings")).json()["items"] == []
    answer = await workshop.as_ana.post(f"/waiting/{one['id']}/accept")
    assert (answer.status_code, answer.json()["status"], answer.json()["note"]) == (201, "confirmed", "Pour l'enseigne")
    confirmed, changed = await workshop.said(BookingConfirmed, WaitingChanged)
    assert (confirmed.booking.borrower.member_id, changed.waiting.status) == (workshop.ana, "accepted")
    assert changed.waiting.booking_id == confirmed.booking.id
    assert (await workshop.as_ana.post(f"/waiting/{one['id']}/accept")).status_code == 409


async def free_by_declining(workshop: Workshop, held: UUID) -> None:
    assert (await workshop.as_omar.post(f"/bookings/{held}/decline", json={})).status_code == 200


async def free_by_cancelling(workshop: Workshop, held: UUID) -> None:
    assert (await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})).status_code == 200


async def free_by_expiry(workshop: Workshop, held: UUID) -> None:
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s' WHERE id = :id", id=held)
    await Sweeper(workshop.db, seconds=60).sweep()


async def free_by_moving(workshop: Workshop, held: UUID) -> None:
    body = {"start": at(14).isoformat(), "end": at(16).isoformat(), "quantity": 1}
    moved = await workshop.as_chloe.put(f"/bookings/{held}/change", json=body)
    assert moved.status_code == 200, moved.text


async def free_by_capacity(workshop: Workshop, held: UUID) -> None:
    await workshop.rules(approval="owner", capacity=2)
    assert held


async def free_by_no_show(workshop: Workshop, held: UUID) -> None:
    await workshop.sql("UPDATE bookings SET status = 'no_show' WHERE id = :id", id=held)


WAYS = [free_by_declining, free_by_cancelling, free_by_expiry, free_by_moving, free_by_capacity, free_by_no_show]


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_of_freeing_a_place_offers_it_to_the_next(workshop: Workshop, way: Any) -> None:
    await workshop.rules(approval="owner")
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    await waits(workshop, workshop.as_ana, at(10), at(12))
    await workshop.said()
    await way(workshop, held)
    await look(workshop)
    (offered,) = await workshop.said(PlaceOffered)
    assert offered.waiting.member_id == workshop.ana
    (shown,) = await mine(workshop.as_ana)
    accepted = await workshop.as_ana.post(f"/waiting/{shown['id']}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (201, "pending")


async def test_an_expired_hold_and_wider_hours_free_places_too(workshop: Workshop) -> None:
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(12).isoformat()}
    assert (await workshop.as_chloe.post("/holds", json=body)).status_code == 201
    await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s'")
    await Sweeper(workshop.db, seconds=60).sweep()
    await workshop.rules(opening_hours=[hours | {"opens": "10:00"} for hours in EVERY_DAY])
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "waiting"
    await workshop.rules()
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "offered"


async def test_nobody_from_outside_overtakes_in_the_moment_before_the_loop(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    ben = await someone(workshop, "Ben")
    await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    refused = await workshop.book(ben, at(10), at(11))
    assert (refused.status_code, bool(refused.json()["alternatives"])) == (409, True)
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "offered"
    assert (await workshop.book(ben, at(12), at(13))).status_code == 201


async def test_nobody_moves_into_a_place_that_others_wait_for(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    ben = await someone(workshop, "Ben")
    later = await booked(workshop, ben, at(14), at(15))
    await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    body = {"start": at(10).isoformat(), "end": at(11).isoformat(), "quantity": 1}
    assert (await ben.put(f"/bookings/{later}/change", json=body)).status_code == 409
    await look(workshop)
    assert (await mine(workshop.as_ana))[0]["status"] == "offered"


async def test_an_own_hold_becomes_the_booking_although_others_wait_for_that_time(workshop: Workshop) -> None:
    await workshop.rules(capacity=2)
    ben = await someone(workshop, "Ben")
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(12).isoformat()}
    hold = (await ben.post("/holds", json=body)).json()["id"]
    await waits(workshop, workshop.as_ana, at(9), at(12), quantity=2)
    taken = await workshop.book(ben, at(9), at(12), hold_id=hold)
    assert taken.status_code == 201, taken.text


async def test_when_the_time_is_over_it_moves_on_and_says_so(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    ben = await someone(workshop, "Ben")
    one = await waits(workshop, workshop.as_ana, at(9), at(12))
    await waits(workshop, ben, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await look(workshop)
    await workshop.said()
    await pass_time(workshop, one["id"])
    late = await workshop.as_ana.post(f"/waiting/{one['id']}/accept", headers={"Accept-Language": "fr"})
    assert (late.status_code, "délai" in late.json()["detail"]) == (410, True)
    await Sweeper(workshop.db, seconds=60).sweep()
    await look(workshop)
    lapsed, offered = await workshop.said(WaitingEvent)
    assert (lapsed.waiting.status, lapsed.waiting.member_id) == ("lapsed", workshop.ana)
    assert isinstance(offered, PlaceOffered)
    assert (await mine(ben))[0]["status"] == "offered"
    assert (await mine(workshop.as_ana))[0]["status"] == "lapsed"
    assert (await workshop.as_ana.post(f"/waiting/{one['id']}/accept")).status_code == 410


async def pass_time(workshop: Workshop, waiting_id: str) -> None:
    """The time to accept is over."""
    await workshop.sql("UPDATE waiting SET accept_by = now() - interval '1 s' WHERE id = :id", id=UUID(waiting_id))
    await workshop.sql(
        "UPDATE bookings SET decide_by = now() - interval '1 s' WHERE waiting_id = :id", id=UUID(waiting_id)
    )


async def test_leaving_gives_an_offered_place_to_the_next_at_once(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    ben = await someone(workshop, "Ben")
    one = await waits(workshop, workshop.as_ana, at(9), at(12))
    await waits(workshop, ben, at(9), at(10))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await look(workshop)
    left = await workshop.as_ana.post(f"/waiting/{one['id']}/leave")
    assert left.json()["status"] == "left"
    assert (await mine(ben))[0]["status"] == "offered"
    assert (await workshop.as_ana.post(f"/waiting/{one['id']}/leave")).status_code == 409


async def test_a_form_that_is_open_never_drops_an_offered_place(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    one = await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await look(workshop)
    body = {"offer_id": str(workshop.laser), "start": at(14).isoformat(), "end": at(15).isoformat()}
    hold = (await workshop.as_ana.post("/holds", json=body)).json()
    await workshop.as_ana.delete(f"/holds/{hold['id']}")
    async with workshop.db.reading() as session:
        kept = (await session.execute(KEPT)).scalars().all()
    assert len(kept) == 1
    await workshop.as_ana.delete(f"/holds/{kept[0]}")
    taken = await workshop.book(workshop.as_ana, at(14), at(15), hold_id=str(kept[0]))
    assert taken.status_code == 201
    assert (await workshop.as_ana.post(f"/waiting/{one['id']}/accept")).status_code == 201


async def test_a_series_does_not_overtake_the_waiting_list(workshop: Workshop) -> None:
    taken = (await workshop.book(workshop.as_chloe, at(9, days=4), at(11, days=4))).json()
    wish = {"offer_id": str(workshop.laser), "start": at(9, days=4).isoformat(), "end": at(11, days=4).isoformat()}
    waits = await workshop.as_omar.post("/waiting", json=wish)
    assert waits.status_code == 201, waits.text
    assert (await workshop.as_chloe.post(f"/bookings/{taken['id']}/cancel", json={})).status_code == 200
    answer = await book_series(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=3")
    assert [one["date"] for one in answer.json()["conflicts"]] == [local_day(4)]
    assert (
        len((await booked_series(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=3", conflicts="skip"))["bookings"]) == 2
    )

"""Holds while a form is open, and changes of period that keep the old one until they are decided."""

from datetime import timedelta
from typing import Any

import httpx

from contracts.booking import BookingChangeAsked, BookingChangeRefused, BookingMoved
from tests.services.booking.workshop import Workshop, at, iso, types_of


async def hold(workshop: Workshop, client: httpx.AsyncClient, start: int, end: int, **more: Any) -> httpx.Response:
    body = {"offer_id": str(workshop.laser), "start": iso(at(start)), "end": iso(at(end)), **more}
    return await client.post("/holds", json=body)


async def change(client: httpx.AsyncClient, booking: dict[str, Any], start: int, end: int, quantity: int = 1) -> Any:
    body = {"start": iso(at(start)), "end": iso(at(end)), "quantity": quantity}
    return await client.put(f"/bookings/{booking['id']}/change", json=body)


async def test_hold_keeps_others_away_and_makes_way_for_its_own_booking(workshop: Workshop) -> None:
    held = (await hold(workshop, workshop.as_ana, 9, 11)).json()
    assert held["status"] == "held"
    assert (await workshop.book(workshop.as_chloe, at(9), at(11))).status_code == 409
    booked = await workshop.book(workshop.as_ana, at(9), at(11), hold_id=held["id"])
    assert booked.status_code == 201, booked.text
    assert types_of(await workshop.said()) == ["confirmed", "busy_changed"]
    assert (await workshop.as_ana.get(f"/bookings/{held['id']}")).status_code == 404


async def test_a_member_has_one_hold_and_nobody_takes_anothers(workshop: Workshop) -> None:
    first = (await hold(workshop, workshop.as_ana, 9, 10)).json()
    assert (await hold(workshop, workshop.as_ana, 12, 13)).status_code == 201
    assert (await workshop.book(workshop.as_chloe, at(9), at(10))).status_code == 201
    second = (await hold(workshop, workshop.as_omar, 14, 15)).json()
    stolen = await workshop.book(workshop.as_chloe, at(14), at(15), hold_id=second["id"])
    assert stolen.status_code == 409
    assert (await workshop.as_chloe.delete(f"/holds/{second['id']}")).status_code == 204
    assert (await workshop.book(workshop.as_chloe, at(14), at(15))).status_code == 409
    assert (await workshop.as_omar.delete(f"/holds/{second['id']}")).status_code == 204
    assert (await workshop.as_omar.delete(f"/holds/{first['id']}")).status_code == 204
    assert (await workshop.book(workshop.as_chloe, at(14), at(15))).status_code == 201


async def test_expired_hold_gives_way_in_the_transaction_that_it_would_block(workshop: Workshop) -> None:
    held = (await hold(workshop, workshop.as_ana, 9, 11)).json()
    await workshop.sql("UPDATE bookings SET decide_by = now() WHERE id = :id", id=held["id"])
    assert (await workshop.book(workshop.as_chloe, at(9), at(11))).status_code == 201


async def test_change_keeps_the_old_period_until_the_owner_says_yes(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    await workshop.said()
    waiting = (await change(workshop.as_ana, asked, 10, 12)).json()
    assert (waiting["start"], waiting["change"]["start"]) == (iso(at(9)), iso(at(10)))
    assert (waiting["change"]["may_answer"], waiting["change"]["may_withdraw"]) == (False, True)
    # Both the old and the new period are kept, and their common hour once.
    for hour in (9, 10, 11):
        assert (await workshop.book(workshop.as_chloe, at(hour), at(hour + 1))).status_code == 409
    assert (await workshop.book(workshop.as_chloe, at(8), at(9))).status_code == 201
    seen = (await workshop.as_omar.get(f"/bookings/{asked['id']}")).json()
    assert seen["change"]["may_answer"]
    moved = (await workshop.as_omar.post(f"/bookings/{asked['id']}/change/accept")).json()
    assert (moved["start"], moved["end"], moved["change"]) == (iso(at(10)), iso(at(12)), None)
    said = await workshop.said(BookingChangeAsked, BookingMoved)
    assert types_of(said) == ["change_asked", "moved"]
    assert (await workshop.book(workshop.as_chloe, at(9), at(10))).status_code == 201


async def test_refused_withdrawn_and_expired_changes_leave_the_booking_as_it_is(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    await change(workshop.as_ana, asked, 14, 15)
    assert (await workshop.as_ana.post(f"/bookings/{asked['id']}/change/accept")).status_code == 403
    refused = (await workshop.as_omar.post(f"/bookings/{asked['id']}/change/refuse")).json()
    assert (refused["start"], refused["change"]) == (iso(at(9)), None)
    await change(workshop.as_ana, asked, 14, 15)
    withdrawn = (await workshop.as_ana.post(f"/bookings/{asked['id']}/change/withdraw")).json()
    assert withdrawn["change"] is None
    await change(workshop.as_ana, asked, 14, 15)
    await workshop.sql("UPDATE changes SET decide_by = now()")
    assert (await workshop.book(workshop.as_chloe, at(14), at(15))).status_code == 201
    assert (await workshop.as_omar.post(f"/bookings/{asked['id']}/change/accept")).status_code == 409
    told = await workshop.said(BookingChangeRefused)
    assert [(event.by, event.expired) for event in told] == [("owner", False), ("borrower", False), ("system", True)]


async def test_owner_asks_the_borrower_and_less_needs_no_answer(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(12))).json()
    pending_moves_at_once = (await change(workshop.as_ana, asked, 13, 16)).json()
    assert pending_moves_at_once["start"] == iso(at(13))
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    shorter = (await change(workshop.as_ana, asked, 13, 15)).json()
    assert (shorter["end"], shorter["change"]) == (iso(at(15)), None)
    by_owner = (await change(workshop.as_omar, asked, 9, 11)).json()
    assert by_owner["change"]["by_owner"]
    assert (await workshop.as_chloe.post(f"/bookings/{asked['id']}/change/accept")).status_code == 403
    moved = (await workshop.as_ana.post(f"/bookings/{asked['id']}/change/accept")).json()
    assert moved["start"] == iso(at(9))


async def test_change_of_quantity_counts_only_what_is_more(workshop: Workshop) -> None:
    await workshop.rules(capacity=5)
    mine = (await workshop.book(workshop.as_ana, at(9), at(11), quantity=3)).json()
    await workshop.book(workshop.as_chloe, at(9), at(10), quantity=1)
    too_many = await change(workshop.as_ana, mine, 9, 11, quantity=5)
    assert too_many.status_code == 409
    four = (await change(workshop.as_ana, mine, 9, 11, quantity=4)).json()
    assert four["quantity"] == 4
    assert (await workshop.book(workshop.as_omar, at(10), at(11), quantity=1)).status_code == 201


async def test_cancelled_booking_forgets_its_change(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    await change(workshop.as_ana, asked, 14, 15)
    await workshop.as_ana.post(f"/bookings/{asked['id']}/cancel", json={})
    for hour in (9, 14):
        assert (await workshop.book(workshop.as_chloe, at(hour), at(hour) + timedelta(hours=1))).status_code == 201


async def test_a_change_that_waits_is_in_the_list_of_whoever_answers(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")

    async def to_decide(client: httpx.AsyncClient) -> list[str]:
        items = (await client.get("/bookings?role=to_decide")).json()["items"]
        assert all(one["change"]["may_answer"] for one in items)
        return [one["id"] for one in items]

    await change(workshop.as_ana, asked, 14, 15)
    assert await to_decide(workshop.as_omar) == await to_decide(workshop.as_chloe) == [asked["id"]]
    assert await to_decide(workshop.as_ana) == []
    await workshop.rules(approval="coordinator")
    assert (await to_decide(workshop.as_omar), await to_decide(workshop.as_chloe)) == ([], [asked["id"]])
    await workshop.sql("UPDATE changes SET decide_by = now() - interval '1 second'")
    assert await to_decide(workshop.as_chloe) == []
    await change(workshop.as_omar, asked, 14, 15)
    assert (await to_decide(workshop.as_ana), await to_decide(workshop.as_omar)) == ([asked["id"]], [])

"""Arriving, leaving, being late: through the API and by the sweeper."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.booking import BookingCompleted, BookingConfirmed, BookingStartAtRisk, BusyChanged
from services.booking import queries
from services.booking.loops import Sweeper
from services.chassis.ids import new_id
from tests.services.booking.workshop import Workshop, at


@pytest.fixture(autouse=True)
async def people_check_in(workshop: Workshop) -> None:
    await workshop.rules(check_in="asked", grace_minutes=20)
    await workshop.said()


async def booked(workshop: Workshop, start: int, end: int, *, by: str = "ana", day: int = 3, after: int = 0) -> str:
    """A confirmed booking of the laser, moved to `start` and `end` minutes from now (`after`: minutes of buffer)."""
    client = workshop.as_ana if by == "ana" else workshop.as_chloe
    answer = await workshop.book(client, at(9, days=day), at(10, days=day))
    assert answer.status_code == 201, answer.text
    await shift(workshop, answer.json()["id"], start, end, after=after)
    await workshop.said()
    return answer.json()["id"]


async def shift(workshop: Workshop, booking_id: str, start: int, end: int, *, after: int = 0) -> None:
    begins, ends, over = (f"now() + interval '{minutes} min'" for minutes in (start, end, end + after))
    await workshop.sql(
        f"UPDATE bookings SET starts_at = {begins}, ends_at = {ends}, occupied = tstzrange({begins}, {over}) "  # noqa: S608 - numbers of this file
        "WHERE id = :id",
        id=booking_id,
    )


async def sweep(workshop: Workshop) -> None:
    await Sweeper(workshop.db, seconds=60).sweep()


async def row_of(workshop: Workshop, booking_id: str, table: str = "bookings") -> Any:
    key = "id" if table == "bookings" else "booking_id"
    async with workshop.db.reading() as session:
        found = sa.text(f"SELECT *, now() AS now FROM {table} WHERE {key} = :id")  # noqa: S608 - names of this file
        return (await session.execute(found, {"id": booking_id})).one_or_none()


async def test_arriving_and_leaving_early_frees_the_rest_at_once(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    seen = (await workshop.as_ana.get(f"/bookings/{booking_id}")).json()
    assert (seen["may_check_in"], seen["may_check_out"], seen["check_in_code"]) == (True, False, None)
    used = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={"code": None})
    assert (used.status_code, used.json()["status"]) == (200, "in_use"), used.text
    assert (used.json()["may_check_in"], used.json()["may_check_out"], used.json()["may_cancel"]) == (
        False,
        True,
        False,
    )
    [in_use] = await workshop.said()
    assert isinstance(in_use, BookingConfirmed)
    assert in_use.booking.status == "in_use"
    done = (await workshop.as_ana.post(f"/bookings/{booking_id}/check-out")).json()
    assert (done["status"], done["may_check_out"]) == ("completed", False)
    assert [line["what"] for line in done["history"]] == ["booked", "in_use", "completed"]
    completed, busy = await workshop.said()
    assert isinstance(completed, BookingCompleted)
    assert isinstance(busy, BusyChanged)
    assert busy.busy == []
    line = await row_of(workshop, booking_id, "uses")
    assert (line.kind, line.borrower_name, line.owner_name, line.minutes, line.value) == ("use", "Ana", "Omar", 0, None)


@pytest.mark.parametrize(("start", "slug"), [(20, "too-early-to-check-in"), (-21, "too-late-to-check-in")])
async def test_neither_too_early_nor_after_the_grace(workshop: Workshop, start: int, slug: str) -> None:
    booking_id = await booked(workshop, start, start + 60)
    refused = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    assert (refused.status_code, refused.json()["type"]) == (409, f"urn:maillage:problem:booking/{slug}")
    assert await workshop.said() == []


async def test_owner_and_coordinator_say_it_for_the_borrower_and_strangers_see_nothing(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    stranger = workshop.client(new_id(), name="Zoé")
    assert (await stranger.post(f"/bookings/{booking_id}/check-in", json={})).status_code == 404
    assert (await stranger.post(f"/bookings/{booking_id}/check-out")).status_code == 404
    assert (await workshop.as_omar.post(f"/bookings/{booking_id}/check-in", json={})).json()["status"] == "in_use"
    again = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    assert again.json()["type"] == "urn:maillage:problem:booking/already-checked-in"
    out = await workshop.as_chloe.post(f"/bookings/{booking_id}/check-out")
    assert out.json()["status"] == "completed"
    assert (await workshop.as_chloe.post(f"/bookings/{booking_id}/check-out")).status_code == 409


async def test_code_is_shown_to_the_owner_and_opens_for_whoever_has_it(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    code = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()["check_in_code"]
    assert len(code) == 6
    assert code.isdigit()
    assert (await workshop.as_chloe.get(f"/bookings/{booking_id}")).json()["check_in_code"] == code
    listed = (await workshop.as_ana.get("/bookings", params={"role": "borrower"})).json()["items"]
    assert [one["check_in_code"] for one in listed] == [None]
    wrong = "000000" if code != "000000" else "000001"
    refused = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={"code": wrong})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:maillage:problem:booking/wrong-code")
    colleague = workshop.client(new_id(), name="Zoé")
    assert (await colleague.post(f"/bookings/{booking_id}/check-in", json={"code": wrong})).status_code == 404
    spaced = f" {code[:3]} {code[3:]}"
    assert (await colleague.post(f"/bookings/{booking_id}/check-in", json={"code": spaced})).json()[
        "status"
    ] == "in_use"
    history = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()["history"]
    assert (history[-1]["what"], history[-1]["by_name"]) == ("in_use_by_code", "Zoé")


async def test_codes_cannot_be_tried_out(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    code = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()["check_in_code"]
    wrong = "000000" if code != "000000" else "000001"
    tries = await asyncio.gather(
        *(workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={"code": wrong}) for _ in range(12))
    )
    assert sorted(answer.status_code for answer in tries) == [409] * 2 + [422] * 10
    closed = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={"code": code})
    assert closed.json()["type"] == "urn:maillage:problem:booking/too-many-wrong-codes"
    assert (await workshop.as_omar.post(f"/bookings/{booking_id}/check-in", json={})).status_code == 200


async def test_resource_that_does_not_ask_has_no_code_and_completes_when_over(workshop: Workshop) -> None:
    await workshop.rules(check_in="none")
    booking_id = await booked(workshop, -30, 30)
    seen = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()
    assert (seen["may_check_in"], seen["check_in_until"], seen["check_in_code"]) == (False, None, None)
    refused = await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={"code": "123456"})
    assert refused.json()["type"] == "urn:maillage:problem:booking/no-check-in"
    await shift(workshop, booking_id, -90, -1)
    await sweep(workshop)
    [completed] = await workshop.said()
    assert completed.booking.status == "completed"
    line = await row_of(workshop, booking_id, "uses")
    assert (line.kind, line.minutes) == ("use", 89)


async def test_nobody_comes_and_the_place_is_free_again_at_once(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -19, 41)
    await sweep(workshop)
    assert await workshop.said() == []
    await shift(workshop, booking_id, -21, 39)
    await sweep(workshop)
    released, busy = await workshop.said()
    assert isinstance(released, BookingCompleted)
    assert (released.booking.status, released.booking.value) == ("no_show", None)
    assert busy.busy == []
    line = await row_of(workshop, booking_id, "uses")
    assert (line.kind, line.minutes, line.value) == ("no_show", 0, None)
    await sweep(workshop)
    assert await workshop.said() == []


async def test_early_return_keeps_its_cleaning(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55, after=30)
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-out")
    row = await row_of(workshop, booking_id)
    assert (row.status, row.occupied.upper - row.checked_out_at) == ("in_use", timedelta(minutes=30))


async def test_database_has_the_last_word_on_what_is_held_longer(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody books the next hour between the look and the write: the overdue booking takes nothing of it."""
    booking_id = await booked(workshop, -5, 55)
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    await shift(workshop, booking_id, -60, -1)
    following = await booked(workshop, 20, 80, by="chloe", day=4)

    async def nobody(*_args: object) -> list[queries.Occupying]:
        return []

    monkeypatch.setattr(queries, "occupying_after", nobody)
    await sweep(workshop)
    row, other = await row_of(workshop, booking_id), await row_of(workshop, following)
    assert (row.status, row.occupied.upper) == ("overdue", row.ends_at)
    assert other.status == "confirmed"


async def test_start_at_risk_is_an_event_that_carries_the_warned_booking(workshop: Workshop) -> None:
    first = await booked(workshop, -5, 55)
    await workshop.as_ana.post(f"/bookings/{first}/check-in", json={})
    await shift(workshop, first, -60, -1)
    following = await booked(workshop, 50, 110, by="chloe", day=4)
    before = (await workshop.as_chloe.get(f"/bookings/{following}")).json()["version"]
    await sweep(workshop)
    [risk] = await workshop.said(BookingStartAtRisk)
    assert (risk.booking.version, risk.booking.status) == (before + 1, "confirmed")


async def test_change_that_waits_is_no_longer_asked_for_once_people_have_come(workshop: Workshop) -> None:
    await workshop.rules(check_in="asked", approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    wanted = {"start": at(11).isoformat(), "end": at(12).isoformat(), "quantity": 1}
    changed = await workshop.as_ana.put(f"/bookings/{asked['id']}/change", json=wanted)
    assert changed.status_code == 200, changed.text
    await shift(workshop, asked["id"], -5, 55)
    assert (await row_of(workshop, asked["id"], "changes")) is not None
    assert (await workshop.as_ana.post(f"/bookings/{asked['id']}/check-in", json={})).status_code == 200
    assert (await row_of(workshop, asked["id"], "changes")) is None


async def test_use_is_worth_what_the_price_was_when_it_was_booked(workshop: Workshop) -> None:
    await workshop.rules(terms={"price": {"kind": "hourly", "amount": "12.00"}})
    booking_id = await booked(workshop, -30, 30)
    await workshop.rules(terms={"price": {"kind": "free"}})
    await shift(workshop, booking_id, -91, -1)
    await sweep(workshop)
    [completed] = await workshop.said(BookingCompleted)
    assert completed.booking.value.amount == "18.00"
    line = await row_of(workshop, booking_id, "uses")
    assert (str(line.value), line.unit, line.minutes) == ("18.00", "EUR", 90)

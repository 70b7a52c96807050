"""A booking across the border that is to be moved, or used: each side alone, the other put in by hand."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.booking import (
    BookingChangeAsked,
    BookingChangeRefused,
    BookingChangeWithdrawalAsked,
    BookingEvent,
    BookingMoved,
    BookingUseAsked,
)
from contracts.federation import ChangeRequestReceived, ChangeWithdrawalReceived, UseReportReceived
from services.booking.commands.peer_changes import NotAskedYet
from services.chassis.ids import new_id
from services.federation.shareable import booking_answer
from tests.services.booking.test_asking_peers import FROM_NAMUR, NAMUR, answer, ask, link, oven, oven_rules
from tests.services.booking.test_peers_ask import request, share
from tests.services.booking.test_use import row_of, shift
from tests.services.booking.workshop import Workshop, at, iso

LATER: dict[str, Any] = {"start": at(14), "end": at(15)}


def wish(booking_id: UUID, number: int = 1, **changes: Any) -> ChangeRequestReceived:
    values: dict[str, Any] = {"booking_id": booking_id, "number": number, "quantity": 1, "note": "train"} | LATER
    return ChangeRequestReceived(**FROM_NAMUR, **(values | changes))


def no_longer(booking_id: UUID, number: int = 1) -> ChangeWithdrawalReceived:
    return ChangeWithdrawalReceived(**FROM_NAMUR, booking_id=booking_id, number=number)


async def guest(workshop: Workshop, **rules: Any) -> UUID:
    """A confirmed booking of the laser from nine to eleven by a person of Namur."""
    await share(workshop)
    await workshop.rules(**rules)
    asked = request(workshop)
    await workshop.hear(asked)
    if rules.get("approval") == "owner":
        assert (await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")).status_code == 200
    await workshop.said()
    return asked.booking_id


async def test_a_guests_booking_moves_at_once_where_nobody_is_asked(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    await workshop.hear(wish(booking_id))
    [moved] = await workshop.said(BookingEvent)
    assert isinstance(moved, BookingMoved)
    told = booking_answer(moved.booking)
    assert told is not None
    assert (told.start, told.end, told.change_decided, told.change_reason) == (at(14), at(15), 1, None)
    await workshop.hear(wish(booking_id))
    [again] = await workshop.said(BookingEvent)
    assert again.booking.version == moved.booking.version
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_a_guests_wish_keeps_both_periods_until_the_owner_has_decided(workshop: Workshop) -> None:
    booking_id = await guest(workshop, approval="owner")
    await workshop.hear(wish(booking_id))
    [asked] = await workshop.said(BookingEvent)
    assert isinstance(asked, BookingChangeAsked)
    told = booking_answer(asked.booking)
    assert told is not None
    assert (told.start, told.change_decided) == (at(9), 0)
    for hour in (9, 14):
        assert (await workshop.book(workshop.as_ana, at(hour), at(hour + 1))).status_code == 409
    seen = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()
    assert (seen["change"]["may_answer"], seen["may_change"]) == (True, True)
    await workshop.as_omar.post(f"/bookings/{booking_id}/change/accept")
    [moved] = await workshop.said(BookingEvent)
    assert (moved.booking.start, moved.booking.change_decided) == (at(14), 1)


async def test_a_wish_that_cannot_be_is_refused_with_the_reason_and_a_later_one_counts(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    await workshop.book(workshop.as_ana, at(14), at(15))
    await workshop.said()
    await workshop.hear(wish(booking_id))
    [refused] = await workshop.said(BookingEvent)
    assert isinstance(refused, BookingChangeRefused)
    told = booking_answer(refused.booking)
    assert told is not None
    assert (told.start, told.change_decided, told.change_reason) == (at(9), 1, "Cette période n'est plus libre.")
    await workshop.hear(wish(booking_id, 2, start=at(16), end=at(17)))
    [moved] = await workshop.said(BookingEvent)
    assert (moved.booking.start, moved.booking.change_reason) == (at(16), None)


async def test_a_wish_nobody_decided_on_ends_and_the_peer_hears_of_it(workshop: Workshop) -> None:
    booking_id = await guest(workshop, approval="owner")
    await workshop.hear(wish(booking_id))
    await workshop.said()
    await workshop.sql("UPDATE changes SET decide_by = now() - interval '1 second'")
    (sweeper,) = [loop for loop in workshop.service.loops if type(loop).__name__ == "Sweeper"]
    await sweeper.sweep()  # pyright: ignore[reportAttributeAccessIssue]
    [over] = await workshop.said(BookingEvent)
    assert isinstance(over, BookingChangeRefused)
    assert (over.by, over.booking.change_decided) == ("system", 1)


async def test_what_is_withdrawn_before_it_comes_changes_nothing(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    await workshop.hear(no_longer(booking_id))
    await workshop.hear(wish(booking_id))
    said = await workshop.said(BookingEvent)
    assert {event.booking.start for event in said} == {at(9)}
    assert {event.booking.change_decided for event in said} == {1}


async def test_what_is_said_of_a_booking_before_its_request_comes_again(workshop: Workshop) -> None:
    await share(workshop)
    for early in (wish(new_id()), no_longer(new_id())):
        with pytest.raises(NotAskedYet):
            await workshop.hear(early)


async def test_a_peer_has_no_say_in_bookings_that_are_not_its_own(workshop: Workshop) -> None:
    mine = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.said()
    report = UseReportReceived(**FROM_NAMUR, booking_id=mine["id"], step="check_in")
    for foreign in (wish(UUID(mine["id"])), no_longer(UUID(mine["id"])), report):
        await workshop.hear(foreign)
    assert await workshop.said(BookingEvent) == []


async def test_a_guest_comes_and_leaves_by_what_the_peer_reports(workshop: Workshop) -> None:
    booking_id = await guest(workshop, check_in="asked")
    await shift(workshop, str(booking_id), -5, 55)
    statuses: list[str] = []
    for step in ("check_in", "check_in", "check_out", "check_out"):
        await workshop.hear(UseReportReceived(**FROM_NAMUR, booking_id=booking_id, step=step))
        [told] = await workshop.said(BookingEvent)
        statuses.append(told.booking.status)
    assert statuses == ["in_use", "in_use", "completed", "completed"]


@pytest.fixture
async def abroad(workshop: Workshop) -> tuple[Workshop, dict[str, Any]]:
    """Ana has Namur's oven from nine to eleven, confirmed."""
    await workshop.hear(link("active", 2))
    workshop.laser = new_id()
    await workshop.hear(oven(workshop.laser))
    told = oven_rules(workshop.laser)
    await workshop.hear(told.model_copy(update={"resource": told.resource.model_copy(update={"check_in": "asked"})}))
    booking = await ask(workshop)
    await workshop.hear(answer(booking, "confirmed", 2))
    await workshop.said()
    return workshop, booking


async def test_our_member_asks_and_sees_it_pending_until_the_peer_has_answered(
    abroad: tuple[Workshop, dict[str, Any]],
) -> None:
    workshop, booking = abroad
    path = f"/bookings/{booking['id']}"
    body = {"start": iso(at(14)), "end": iso(at(15)), "quantity": 1}
    shown = (await workshop.as_ana.put(f"{path}/change", json=body)).json()
    assert (shown["start"], shown["change"]["start"], shown["change"]["may_withdraw"]) == (
        iso(at(9)),
        iso(at(14)),
        True,
    )
    [asked] = await workshop.said()
    assert isinstance(asked, BookingChangeAsked)
    assert asked.change.number == 1
    await workshop.hear(answer(booking, "confirmed", 3))  # said before the wish was heard
    assert (await workshop.as_ana.get(path)).json()["change"] is not None
    await workshop.hear(answer(booking, "confirmed", 4, start=at(14), end=at(15), quantity=1, change_decided=1))
    [moved] = await workshop.said()
    assert isinstance(moved, BookingMoved)
    seen = (await workshop.as_ana.get(path)).json()
    assert (seen["start"], seen["change"]) == (iso(at(14)), None)
    assert seen["history"][-1]["what"] == "moved"


async def test_our_member_reads_why_the_peer_refused(abroad: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = abroad
    path = f"/bookings/{booking['id']}"
    body = {"start": iso(at(14)), "end": iso(at(15)), "quantity": 1}
    await workshop.as_ana.put(f"{path}/change", json=body)
    await workshop.said()
    await workshop.hear(answer(booking, "confirmed", 3, change_decided=1, change_reason="Pris."))
    [refused] = await workshop.said()
    assert isinstance(refused, BookingChangeRefused)
    seen = (await workshop.as_ana.get(path)).json()
    assert (seen["change"], seen["change_reason"], seen["start"]) == (None, "Pris.", iso(at(9)))


async def test_a_withdrawn_wish_waits_for_the_peer_too_and_may_meet_a_yes(
    abroad: tuple[Workshop, dict[str, Any]],
) -> None:
    workshop, booking = abroad
    path = f"/bookings/{booking['id']}"
    body = {"start": iso(at(14)), "end": iso(at(15)), "quantity": 1}
    await workshop.as_ana.put(f"{path}/change", json=body)
    await workshop.said()
    shown = (await workshop.as_ana.post(f"{path}/change/withdraw")).json()
    assert (shown["change"]["withdrawn"], shown["change"]["may_withdraw"]) == (True, False)
    [asked] = await workshop.said()
    assert isinstance(asked, BookingChangeWithdrawalAsked)
    await workshop.hear(answer(booking, "confirmed", 3, start=at(14), end=at(15), change_decided=1))
    seen = (await workshop.as_ana.get(path)).json()
    assert (seen["start"], seen["change"]) == (iso(at(14)), None)


async def test_our_member_says_at_home_that_they_have_come(abroad: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = abroad
    path = f"/bookings/{booking['id']}"
    early = await workshop.as_ana.post(f"{path}/check-in", json={})
    assert early.json()["type"].endswith("/too-early-to-check-in")
    await shift(workshop, booking["id"], -5, 55)
    shown = (await workshop.as_ana.post(f"{path}/check-in", json={})).json()
    assert (shown["status"], shown["history"][-1]["what"]) == ("confirmed", "check_in_asked")
    [asked] = await workshop.said()
    assert isinstance(asked, BookingUseAsked)
    assert asked.step == "check_in"
    row = await row_of(workshop, booking["id"])
    came: datetime = row.starts_at + timedelta(minutes=1)
    here: dict[str, Any] = {"start": row.starts_at, "end": row.ends_at, "checked_in_at": came}
    await workshop.hear(answer(booking, "confirmed", 3, use="in_use", **here))
    shown = (await workshop.as_ana.post(f"{path}/check-out")).json()
    assert (shown["status"], shown["origin_name"], shown["resource_origin"]) == ("in_use", "OpenFlow", NAMUR)
    assert (await workshop.said())[-1].step == "check_out"

"""Uses between two cooperatives: the owner's side says who came, the other follows; both keep the same line."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.booking import BookingCompleted, BookingEvent, BookingStartAtRisk, UsedValue
from contracts.federation import LinkChanged, LinkState
from services.chassis.ids import new_id
from services.federation.shareable import booking_answer
from services.federation.translation import inside
from tests.services.booking.test_asking_peers import NAMUR, answer, ask, link, oven, oven_rules
from tests.services.booking.test_peers_ask import request, share, withdrawal
from tests.services.booking.test_use import row_of, shift, sweep
from tests.services.booking.workshop import Workshop, types_of

CAME = datetime(2026, 3, 10, 9, 2, tzinfo=UTC)
WENT = CAME + timedelta(minutes=95)


async def guest(workshop: Workshop, start: int = -5, end: int = 55) -> str:
    """A booking of the laser by a person of Namur, moved to minutes from now."""
    await share(workshop)
    await workshop.rules(check_in="asked")
    asked = request(workshop)
    await workshop.hear(asked)
    await shift(workshop, str(asked.booking_id), start, end)
    await workshop.said()
    return str(asked.booking_id)


@pytest.fixture
async def abroad(workshop: Workshop) -> tuple[Workshop, dict[str, Any]]:
    """Ana has Namur's oven, confirmed."""
    await workshop.hear(link("active", 2))
    workshop.laser = new_id()
    await workshop.hear(oven(workshop.laser))
    await workshop.hear(oven_rules(workshop.laser))
    booking = await ask(workshop)
    await workshop.hear(answer(booking, "confirmed", 2))
    await workshop.said()
    return workshop, booking


async def test_owner_checks_a_guest_in_and_out_and_the_peer_is_told_what_it_was_worth(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    assert (await workshop.as_omar.post(f"/bookings/{booking_id}/check-in", json={})).status_code == 200
    [in_use] = await workshop.said(BookingEvent)
    told = booking_answer(in_use.booking)
    assert told is not None
    assert (told.status, told.use) == ("confirmed", "in_use")
    assert (await workshop.as_omar.post(f"/bookings/{booking_id}/check-out")).json()["status"] == "completed"
    [completed] = await workshop.said(BookingEvent)
    told = booking_answer(completed.booking)
    assert told is not None
    assert (told.status, told.use, told.checked_out_at) == ("completed", None, completed.booking.checked_out_at)
    line = await row_of(workshop, booking_id, "uses")
    assert (line.borrower_peer_id, line.borrower_pseudonym, line.borrower_name) == (NAMUR, "p-7f3a", None)
    assert (line.owner_member_id, line.owner_peer_id) == (workshop.omar, None)


async def test_guest_who_is_there_cannot_withdraw_any_more(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    await workshop.as_omar.post(f"/bookings/{booking_id}/check-in", json={})
    await workshop.said()
    await workshop.hear(withdrawal((await row_of(workshop, booking_id)).id))
    [again] = await workshop.said(BookingEvent)
    assert again.booking.status == "in_use"


async def test_our_members_booking_follows_what_the_peer_says_of_its_use(
    abroad: tuple[Workshop, dict[str, Any]],
) -> None:
    workshop, booking = abroad
    path = f"/bookings/{booking['id']}"
    refused = await workshop.as_ana.post(f"{path}/check-in", json={})
    assert refused.json()["type"] == "urn:maillage:problem:booking/no-check-in"
    for version, use in ((3, "in_use"), (4, "overdue")):
        await workshop.hear(answer(booking, "confirmed", version, use=use, checked_in_at=CAME))
        seen = (await workshop.as_ana.get(path)).json()
        assert (seen["status"], seen["may_check_out"]) == (use, True)
    assert types_of(await workshop.said()) == ["confirmed", "confirmed"]
    value = UsedValue(amount="19.00", unit="EUR")
    over = answer(booking, "completed", 5, checked_in_at=CAME, checked_out_at=WENT, value=value)
    await workshop.hear(over)
    await workshop.hear(over)
    [completed] = await workshop.said()
    assert isinstance(completed, BookingCompleted)
    line = await row_of(workshop, booking["id"], "uses")
    assert (line.started_at, line.ended_at, line.minutes) == (CAME, WENT, 95)
    assert (line.value, line.unit, line.owner_peer_id) == (Decimal("19.00"), "EUR", NAMUR)
    assert (line.borrower_name, line.owner_name) == ("Ana", None)


async def test_our_member_sees_that_the_peer_waits_only_so_long_and_gets_no_code_of_ours(workshop: Workshop) -> None:
    await workshop.hear(link("active", 2))
    workshop.laser = new_id()
    await workshop.hear(oven(workshop.laser))
    rules = oven_rules(workshop.laser)
    asking = rules.resource.model_copy(update={"check_in": "asked", "grace_minutes": 45})
    await workshop.hear(rules.model_copy(update={"resource": asking}))
    booking = await ask(workshop)
    assert datetime.fromisoformat(booking["check_in_until"]) - datetime.fromisoformat(booking["start"]) == timedelta(
        minutes=45
    )
    assert booking["may_check_in"] is False
    assert (await row_of(workshop, booking["id"])).check_in_code is None


async def test_peer_that_knows_nothing_of_uses_still_leaves_a_line(abroad: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = abroad
    await workshop.hear(answer(booking, "completed", 3))
    line = await row_of(workshop, booking["id"], "uses")
    assert (line.kind, line.minutes, line.value) == ("use", 120, None)


async def test_no_show_at_the_peer_is_a_line_without_value(abroad: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = abroad
    await workshop.hear(answer(booking, "completed", 3, use="no_show"))
    assert (await workshop.as_ana.get(f"/bookings/{booking['id']}")).json()["status"] == "no_show"
    line = await row_of(workshop, booking["id"], "uses")
    assert (line.kind, line.minutes, line.value) == ("no_show", 0, None)


async def test_our_member_is_warned_when_the_peer_says_that_the_one_before_is_late(
    abroad: tuple[Workshop, dict[str, Any]],
) -> None:
    workshop, booking = abroad
    at_risk = answer(booking, "confirmed", 3, start_at_risk=True)
    await workshop.hear(at_risk)
    await workshop.hear(at_risk)
    [risk] = await workshop.said()
    assert isinstance(risk, BookingStartAtRisk)
    assert (str(risk.booking.id), risk.booking.status) == (booking["id"], "confirmed")


async def test_what_a_guest_is_using_when_the_link_ends_is_completed(workshop: Workshop) -> None:
    booking_id = await guest(workshop)
    await workshop.as_omar.post(f"/bookings/{booking_id}/check-in", json={})
    state = LinkState(
        link_id=workshop.laser, peer_id=NAMUR, peer_name="OpenFlow", peer_web="https://x.example", status="active",
        version=1,
    )  # fmt: skip
    await workshop.hear(LinkChanged(link=state))
    await workshop.said()
    await workshop.hear(LinkChanged(link=state.model_copy(update={"status": "ended", "version": 2})))
    [completed] = await workshop.said(BookingEvent)
    assert completed.booking.status == "completed"
    assert (await row_of(workshop, booking_id, "uses")).ended_at == completed.booking.checked_out_at


async def test_both_sides_keep_the_same_line(workshop: Workshop) -> None:
    """What leaves as an answer comes in at the other side with the same times and worth."""
    booking_id = await guest(workshop, -100, -5)
    began = "UPDATE bookings SET status = 'in_use', checked_in_at = starts_at + interval '2 min' WHERE id = :id"
    await workshop.sql(began, id=booking_id)
    await sweep(workshop)
    await workshop.said()
    await workshop.as_omar.post(f"/bookings/{booking_id}/check-out")
    [completed] = await workshop.said(BookingEvent)
    told = booking_answer(completed.booking)
    assert told is not None
    received = inside(told, origin=NAMUR, origin_name="OpenFlow", epoch=1).model_dump()
    assert received["checked_in_at"] == completed.booking.checked_in_at
    assert received["checked_out_at"] == completed.booking.checked_out_at
    line = await row_of(workshop, booking_id, "uses")
    assert (line.started_at, line.ended_at) == (received["checked_in_at"], received["checked_out_at"])

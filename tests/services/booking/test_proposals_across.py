"""Who lends asks a guest to move: told to the guest's cooperative, answered there, decided here."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.booking import (
    BookingChangeAnswered,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingEvent,
    BookingMoved,
)
from contracts.border import BorderBookingAnswered, BorderChangeAnswered, Proposal
from contracts.federation import ChangeAnswerReceived
from services.booking.loops import Sweeper
from services.federation.translation import outside
from tests.services.booking.test_asking_peers import answer
from tests.services.booking.test_moving_across import FROM_NAMUR, abroad, guest, no_longer, wish
from tests.services.booking.workshop import Workshop, at, iso

__all__ = ["abroad"]

AFTERNOON: dict[str, Any] = {"start": iso(at(14)), "end": iso(at(15)), "quantity": 1, "note": "panne"}


def says(booking_id: UUID, number: int, *, accepted: bool) -> ChangeAnswerReceived:
    return ChangeAnswerReceived(**FROM_NAMUR, booking_id=booking_id, number=number, accepted=accepted)


async def told(workshop: Workshop) -> list[BorderBookingAnswered]:
    """What the guest's cooperative hears."""
    said = [event for event in await workshop.said(BookingEvent) if event.booking.borrower.peer_id is not None]
    crossing = [outside(event, "p") for event in said]
    assert all(isinstance(event, BorderBookingAnswered) for event in crossing)
    return [event for event in crossing if isinstance(event, BorderBookingAnswered)]


async def proposed(workshop: Workshop, **changes: Any) -> tuple[UUID, Proposal]:
    booking_id = await guest(workshop)
    asked = await workshop.as_omar.put(f"/bookings/{booking_id}/change", json=AFTERNOON | changes)
    assert asked.status_code == 200, asked.text
    (one,) = await told(workshop)
    assert one.proposal is not None
    return booking_id, one.proposal


async def kept(workshop: Workshop, hour: int) -> bool:
    return (await workshop.book(workshop.as_chloe, at(hour), at(hour + 1))).status_code == 409


async def test_a_guest_who_agrees_has_moved_in_one_step(workshop: Workshop) -> None:
    booking_id, proposal = await proposed(workshop)
    assert (proposal.start, proposal.note, proposal.decide_by <= at(9)) == (at(14), "panne", True)
    assert (await kept(workshop, 9), await kept(workshop, 14)) == (True, True)
    mine = (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()
    assert (mine["start"], mine["change"]["may_answer"], mine["change"]["may_withdraw"]) == (iso(at(9)), False, True)
    await workshop.hear(says(booking_id, proposal.number, accepted=True))
    (moved,) = await workshop.said(BookingEvent)
    assert (type(moved), moved.by, moved.booking.start, moved.booking.proposal) == (BookingMoved, "owner", at(14), None)
    await workshop.hear(says(booking_id, proposal.number, accepted=True))  # twice, and too late: how it stands
    (again,) = await told(workshop)
    assert (again.start, again.version, again.proposal) == (at(14), moved.booking.version, None)
    assert not await kept(workshop, 9)


async def test_a_guest_who_refuses_stays_and_the_owner_is_told(workshop: Workshop) -> None:
    booking_id, proposal = await proposed(workshop)
    await workshop.hear(says(booking_id, proposal.number + 1, accepted=True))  # of no proposal of ours
    await workshop.hear(says(booking_id, proposal.number, accepted=False))
    *_, refused = await workshop.said(BookingEvent)
    assert (type(refused), refused.by, refused.booking.start) == (BookingChangeRefused, "borrower", at(9))
    assert (await kept(workshop, 9), await kept(workshop, 14)) == (True, False)


async def test_without_an_answer_nothing_changes_and_a_late_yes_moves_nothing(workshop: Workshop) -> None:
    booking_id, proposal = await proposed(workshop)
    await workshop.sql("UPDATE changes SET decide_by = now()")
    await workshop.hear(says(booking_id, proposal.number, accepted=True))
    await workshop.said()
    await Sweeper(workshop.db, seconds=1).sweep()
    (over,) = await workshop.said(BookingEvent)
    assert (type(over), over.expired, over.booking.start, over.booking.proposal) == (
        BookingChangeRefused, True, at(9), None,
    )  # fmt: skip
    await workshop.hear(says(booking_id, proposal.number, accepted=True))
    (again,) = await told(workshop)
    assert (again.start, again.proposal) == (at(9), None)


async def test_a_yes_that_the_rules_no_longer_allow_moves_nothing_and_says_why(workshop: Workshop) -> None:
    booking_id, proposal = await proposed(workshop)
    await workshop.rules(opening_hours=[{"weekday": day, "opens": "08:00", "closes": "13:00"} for day in range(7)])
    await workshop.said()
    await workshop.hear(says(booking_id, proposal.number, accepted=True))
    (refused,) = await told(workshop)
    assert (refused.start, refused.proposal) == (at(9), None)
    assert "heures d'ouverture" in (refused.change_reason or "")


async def test_wish_and_proposal_take_each_others_place(workshop: Workshop) -> None:
    booking_id = await guest(workshop, approval="owner")
    await workshop.hear(wish(booking_id, start=at(17), end=at(18)))
    await workshop.as_omar.put(f"/bookings/{booking_id}/change", json=AFTERNOON)
    waits, proposes = await told(workshop)
    assert (waits.change_decided, waits.proposal, proposes.change_decided) == (0, None, 1)
    assert proposes.proposal is not None
    assert not await kept(workshop, 17)
    await workshop.hear(wish(booking_id, 2, start=at(19), end=at(20)))
    (instead,) = await told(workshop)
    assert (instead.change_decided, instead.proposal) == (1, None)
    await workshop.hear(says(booking_id, proposes.proposal.number, accepted=True))
    await workshop.hear(no_longer(booking_id, 2))
    assert [one.start for one in await told(workshop)] == [at(9), at(9)]


async def test_an_owner_may_take_a_proposal_back(workshop: Workshop) -> None:
    booking_id, proposal = await proposed(workshop)
    await workshop.as_omar.post(f"/bookings/{booking_id}/change/withdraw")
    (taken_back,) = await told(workshop)
    assert taken_back.proposal is None
    await workshop.hear(says(booking_id, proposal.number, accepted=True))
    assert [one.start for one in await told(workshop)] == [at(9)]


# -- where the guest lives


def proposal_of_namur(**changes: Any) -> Proposal:
    values: dict[str, Any] = {
        "number": 3, "start": at(14), "end": at(15), "quantity": 1, "note": "panne", "decide_by": at(8),
    }  # fmt: skip
    return Proposal(**(values | changes))


@pytest.fixture
async def asked_to_move(abroad: tuple[Workshop, dict[str, Any]]) -> tuple[Workshop, dict[str, Any]]:
    """A confirmed booking of Ana's at Namur, whose owner proposes the afternoon."""
    workshop, booking = abroad
    await workshop.hear(answer(booking, "confirmed", 3, proposal=proposal_of_namur()))
    (asked,) = await workshop.said(BookingEvent)
    assert isinstance(asked, BookingChangeAsked)
    assert (asked.change.by_owner, outside(asked, "p")) == (True, None)
    return workshop, booking


async def test_our_member_is_asked_once_and_says_yes(asked_to_move: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = asked_to_move
    await workshop.hear(answer(booking, "confirmed", 4, proposal=proposal_of_namur()))  # the same, said again
    assert await workshop.said(BookingEvent) == []
    todo = "/bookings?role=to_decide"
    assert [one["id"] for one in (await workshop.as_ana.get(todo)).json()["items"]] == [booking["id"]]
    path = f"/bookings/{booking['id']}"
    shown = (await workshop.as_ana.post(f"{path}/change/accept")).json()
    assert (shown["start"], shown["change"]["accepted"], shown["change"]["may_answer"]) == (iso(at(9)), True, False)
    assert (await workshop.as_ana.post(f"{path}/change/refuse")).status_code == 403
    assert (await workshop.as_ana.get(todo)).json()["items"] == []
    (said,) = await workshop.said(BookingEvent)
    assert isinstance(said, BookingChangeAnswered)
    assert outside(said, "p") == BorderChangeAnswered(booking_id=said.booking.id, number=3, accepted=True)
    await workshop.hear(answer(booking, "confirmed", 5, start=at(14), end=at(15), quantity=1))
    (moved,) = await workshop.said(BookingEvent)
    assert (type(moved), moved.by) == (BookingMoved, "owner")
    seen = (await workshop.as_ana.get(path)).json()
    assert (seen["start"], seen["change"]) == (iso(at(14)), None)


@pytest.mark.parametrize(("does", "by"), [("refuse", "borrower"), ("wait", "owner"), ("sleep", "system")])
async def test_our_member_hears_that_it_stays(
    asked_to_move: tuple[Workshop, dict[str, Any]], does: str, by: str
) -> None:
    workshop, booking = asked_to_move
    path = f"/bookings/{booking['id']}"
    if does == "refuse":
        assert (await workshop.as_ana.post(f"{path}/change/refuse")).json()["change"]["accepted"] is False
        await workshop.said()
    if does == "sleep":
        await workshop.sql("UPDATE changes_abroad SET decide_by = now() - interval '1 s'")
        assert (await workshop.as_ana.get(path)).json()["change"] is None
        assert (await workshop.as_ana.post(f"{path}/change/accept")).status_code == 409
    await workshop.hear(answer(booking, "confirmed", 5))
    (stays,) = await workshop.said(BookingEvent)
    assert (type(stays), stays.by, stays.booking.start) == (BookingChangeRefused, by, at(9))
    assert (await workshop.as_ana.get(path)).json()["change"] is None


async def test_a_wish_of_our_members_answers_a_proposal_too(asked_to_move: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = asked_to_move
    path = f"/bookings/{booking['id']}"
    body = {"start": iso(at(16)), "end": iso(at(17)), "quantity": 1}
    assert (await workshop.as_ana.put(f"{path}/change", json=body)).status_code == 200
    await workshop.hear(answer(booking, "confirmed", 4, proposal=proposal_of_namur()))  # said before it was heard
    assert (await workshop.as_ana.get(path)).json()["change"]["start"] == iso(at(16))
    later = proposal_of_namur(number=5, start=at(15), end=at(16), decide_by=at(8) - timedelta(minutes=1))
    await workshop.hear(answer(booking, "confirmed", 5, change_decided=1, proposal=later))
    shown = (await workshop.as_ana.get(path)).json()
    assert (shown["change"]["start"], shown["change"]["by_owner"]) == (iso(at(15)), True)


async def test_what_is_called_off_is_not_asked_to_move(asked_to_move: tuple[Workshop, dict[str, Any]]) -> None:
    workshop, booking = asked_to_move
    await workshop.hear(answer(booking, "cancelled", 4, proposal=proposal_of_namur()))
    assert (await workshop.as_ana.get(f"/bookings/{booking['id']}")).json()["change"] is None
    assert (await workshop.as_ana.get("/bookings?role=to_decide")).json()["items"] == []

"""After a restore from a backup: what our members had asked of a peer since, which it hands back, is theirs again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.booking import BookingCancellationAsked, BookingConfirmed, BookingEvent, BookingMoved, BookingRequested
from contracts.federation import BookingAnswerReceived, BookingHandedBack
from contracts.identity import MemberChanged, MemberState
from services.booking.commands.returning import COPY_IS_AWAITED, CopyNotHereYet
from services.chassis.ids import new_id
from tests.services.booking.test_asking_peers import FROM_NAMUR, NAMUR, answer, ask, linked, oven, oven_rules, status
from tests.services.booking.workshop import Workshop, at

__all__ = ["linked"]


def handed(linked: Workshop, **changes: Any) -> BookingHandedBack:
    """Ana's booking of Namur's oven, as she asked for it."""
    values: dict[str, Any] = FROM_NAMUR | {
        "booking_id": new_id(), "offer_id": linked.laser, "member_id": linked.ana, "start": at(9), "end": at(11),
        "quantity": 1, "note": "Pour un vase", "decide_by": at(9) - timedelta(hours=1), "answer": None,
    }  # fmt: skip
    return BookingHandedBack(**(values | changes))


def told(asked: BookingHandedBack, said: Any, version: int, **changes: Any) -> BookingAnswerReceived:
    booking = {"id": str(asked.booking_id), "start": asked.start, "end": asked.end}
    return answer(booking, said, version, **changes)


def standing(asked: BookingHandedBack, said: Any, version: int, **changes: Any) -> BookingHandedBack:
    return asked.model_copy(update={"answer": told(asked, said, version, **changes)})


async def test_it_is_ours_again_as_it_stands_there_and_can_be_called_off(linked: Workshop) -> None:
    back = standing(handed(linked), "confirmed", 4, change_decided=2, withdrawals_heard=1)
    await linked.hear(back)
    (confirmed,) = await linked.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)
    state = confirmed.booking
    assert (state.id, state.borrower.member_id, state.owner.name) == (back.booking_id, linked.ana, "Bruno")
    assert (state.offer_title, state.note, state.resource_origin) == ("Four à céramique", "Pour un vase", NAMUR)
    assert state.version > 4 + 2 + 1, "calendars have heard of it before"
    (mine,) = (await linked.as_ana.get("/bookings", params={"role": "borrower"})).json()["items"]
    assert (mine["id"], mine["status"]) == (str(back.booking_id), "confirmed")
    off = await linked.as_ana.post(f"/bookings/{back.booking_id}/cancel", json={})
    assert off.status_code == 200, off.text
    (asked,) = await linked.said(BookingEvent)
    assert isinstance(asked, BookingCancellationAsked)
    assert asked.booking.withdrawal_number == 2, "the peer has heard the first one"


async def test_what_comes_twice_or_late_changes_nothing(linked: Workshop) -> None:
    back = standing(handed(linked), "confirmed", 4)
    await linked.hear(back)
    await linked.hear(told(back, "cancelled", 5))
    await linked.said()
    for late in (back, told(back, "pending", 3)):
        await linked.hear(late)
    assert await linked.said(BookingEvent) == []
    assert await status(linked, {"id": str(back.booking_id)}) == "cancelled"


@pytest.mark.parametrize("said", [None, "pending"])
async def test_what_waits_there_waits_here_and_is_answered_later(linked: Workshop, said: Any) -> None:
    asked = handed(linked)
    await linked.hear(asked if said is None else standing(asked, said, 1))
    (requested,) = await linked.said(BookingEvent)
    assert isinstance(requested, BookingRequested)
    assert requested.booking.decide_by == asked.decide_by
    await linked.hear(told(asked, "confirmed", 2))
    (confirmed,) = await linked.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)


async def test_what_the_backup_knows_learns_how_it_stands_and_counts_on(linked: Workshop) -> None:
    booking = await ask(linked)
    await linked.said()
    known = handed(linked, booking_id=booking["id"], start=booking["start"], end=booking["end"])
    await linked.hear(standing(known, "confirmed", 6, start=at(13), end=at(15), change_decided=3))
    (confirmed,) = await linked.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)
    assert confirmed.booking.start == at(13)
    wish = {"start": at(16).isoformat(), "end": at(17).isoformat(), "quantity": 1}
    assert (await linked.as_ana.put(f"/bookings/{booking['id']}/change", json=wish)).status_code == 200
    (asked,) = await linked.said()
    assert asked.change.number == 4, "the peer would take a lower one for an old one"
    await linked.hear(told(known, "confirmed", 7, start=at(16), end=at(17), change_decided=4))
    (there,) = await linked.said(BookingEvent)
    assert isinstance(there, BookingMoved)
    await linked.hear(standing(known, "cancelled", 9).model_copy(update={"origin": "other"}))
    assert await linked.said(BookingEvent) == [], "another peer has no say"


async def test_of_somebody_who_has_left_it_is_called_off(linked: Workshop) -> None:
    gone = MemberState(id=linked.ana, name="Ana", role="member", status="left", locale="fr", version=2)
    await linked.hear(MemberChanged(member=gone))
    await linked.hear(standing(handed(linked), "confirmed", 2))
    said = await linked.said(BookingEvent)
    assert [type(one) for one in said] == [BookingConfirmed, BookingCancellationAsked]
    assert not said[-1].booking.borrower.name


async def test_the_copy_of_the_offer_is_waited_for_a_while(linked: Workshop) -> None:
    back = standing(handed(linked, offer_id=new_id()), "confirmed", 2)
    with pytest.raises(CopyNotHereYet):
        await linked.hear(back)
    await linked.hear(oven(back.offer_id))
    await linked.hear(oven_rules(back.offer_id))
    await linked.hear(back)
    gone = standing(handed(linked, offer_id=new_id()), "confirmed", 2)
    await linked.hear(gone, said_at=datetime.now(UTC) - COPY_IS_AWAITED)
    titles = [one.booking.offer_title for one in await linked.said(BookingEvent)]
    assert titles == ["Four à céramique", "Offre qui n'est plus partagée"]

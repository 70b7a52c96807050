"""A place has become free: who is asked, and what becomes of the question."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import PlaceOffered, WaitingChanged, WaitingState
from services.chassis import ids
from tests.services.notify.conftest import Notify

START = datetime(2031, 3, 20, 13, tzinfo=UTC)


def wish(member_id: UUID, **changes: Any) -> WaitingState:
    values: dict[str, Any] = {
        "id": ids.new_id(), "offer_id": ids.new_id(), "offer_title": "Découpeuse laser", "member_id": member_id,
        "member_name": "Bea", "start": START, "end": START + timedelta(hours=3), "time_zone": "Europe/Paris",
        "quantity": 1, "status": "offered", "accept_by": START - timedelta(days=1), "booking_id": None, "version": 2,
        "changed_at": datetime(2031, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return WaitingState(**(values | changes))


def after(state: WaitingState, **changes: Any) -> WaitingState:
    return state.model_copy(update={"version": state.version + 1, **changes})


async def inbox(notify: Notify, member_id: UUID) -> list[tuple[str, bool]]:
    return [(row["template"], row["read_at"] is not None) for row in reversed(await notify.inbox(member_id))]


async def test_the_next_in_line_is_asked_and_told_when_the_time_is_over(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = wish(bea)
    await notify.tell(WaitingChanged(waiting=state.model_copy(update={"version": 1, "status": "waiting"})))
    await notify.tell(PlaceOffered(waiting=state))
    await notify.tell(PlaceOffered(waiting=state))
    [asked] = await notify.inbox(bea)
    assert (asked["title"], asked["url"]) == (
        "Une place s'est libérée : Découpeuse laser",
        f"/waiting/{state.id}",
    )
    assert "À accepter avant" in asked["body"]
    await notify.tell(WaitingChanged(waiting=after(state, status="lapsed")))
    assert await inbox(notify, bea) == [("place-offered", True), ("place-lapsed", False)]
    assert [(row["template"], row["status"]) for row in await notify.mails()] == [
        ("place-offered", "dropped"), ("place-lapsed", "waiting"),
    ]  # fmt: skip


async def test_an_accepted_place_is_no_longer_asked_for_and_nobody_hears_of_the_rest(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = wish(bea)
    await notify.tell(PlaceOffered(waiting=state))
    await notify.tell(WaitingChanged(waiting=after(state, status="accepted", booking_id=ids.new_id())))
    assert await inbox(notify, bea) == [("place-offered", True)]


async def test_a_question_that_was_overtaken_or_is_too_late_is_not_asked(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = wish(bea)
    await notify.tell(WaitingChanged(waiting=after(state, status="left")))
    await notify.tell(PlaceOffered(waiting=state))
    await notify.tell(PlaceOffered(waiting=wish(bea, accept_by=datetime(2020, 1, 1, tzinfo=UTC))))
    assert await inbox(notify, bea) == []
    await notify.tell(WaitingChanged(waiting=wish(bea, status="ended")))
    assert await inbox(notify, bea) == [("waiting-ended", False)]
    assert await notify.mails() == []

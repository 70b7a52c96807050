"""Who hears of a booking that is to be moved, has moved or stays; and who is asked for a second yes."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from icalendar import Calendar

from contracts.booking import (
    BookingChangeAsked,
    BookingChangeRefused,
    BookingConfirmed,
    BookingMoved,
    BookingRequested,
    BookingState,
    ChangeState,
)
from tests.services.notify.conftest import START, Notify, booking, later
from tests.services.notify.test_telling import mailed, templates, three


def change(*, by_owner: bool = False) -> ChangeState:
    start = START + timedelta(days=1)
    return ChangeState(
        start=start,
        end=start + timedelta(hours=2),
        quantity=1,
        note="Le stand arrive plus tard",
        by_owner=by_owner,
        decide_by=datetime(2031, 3, 10, 9, tzinfo=UTC),
    )


async def agreed(notify: Notify, borrower: UUID, owner: UUID) -> BookingState:
    """A confirmed booking that both have heard of."""
    state = booking(borrower, owner, status="confirmed")
    await notify.tell(BookingConfirmed(booking=state))
    return state


async def test_the_side_that_did_not_ask_is_asked_to_answer(notify: Notify) -> None:
    bea, omar, caro = await three(notify)
    state = await agreed(notify, bea, omar)
    await notify.tell(BookingChangeAsked(booking=later(state), change=change()))
    assert (await templates(notify, omar))[1:] == ["booking-change-to-answer"]
    assert len(await templates(notify, bea)) == 1
    assert await templates(notify, caro) == []
    [asked, _] = await notify.inbox(omar)
    assert asked["url"] == f"/bookings/{state.id}"
    assert asked["title"].startswith("Changement à accepter : Découpeuse laser, vendredi 21 mars 2031")
    await notify.tell(BookingChangeAsked(booking=later(later(state)), change=change(by_owner=True)))
    assert (await templates(notify, bea))[1:] == ["booking-change-to-answer"]
    assert (await notify.inbox(bea))[0]["body"].startswith("Omar voudrait déplacer la réservation.")
    assert (await notify.inbox(omar))[0]["read_at"] is not None


async def test_the_other_side_hears_that_nothing_changes(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    state = await agreed(notify, bea, omar)
    await notify.tell(BookingChangeAsked(booking=later(state), change=change()))
    await notify.tell(BookingChangeRefused(booking=later(later(state)), by="owner"))
    assert (await templates(notify, bea))[1:] == ["booking-stays"]
    assert (await templates(notify, omar))[1:] == ["booking-change-to-answer"]
    assert (await notify.inbox(omar))[0]["read_at"] is not None
    assert ("booking-change-to-answer", "dropped") in await mailed(notify)


async def test_a_change_that_is_withdrawn_is_told_to_whoever_was_asked(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    state = await agreed(notify, bea, omar)
    await notify.tell(BookingChangeRefused(booking=later(state), by="borrower"))
    assert (await templates(notify, omar))[1:] == ["booking-stays-owner"]
    assert len(await templates(notify, bea)) == 1


async def test_both_calendars_move_the_entry(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    state = await agreed(notify, bea, omar)
    new = later(state, start=START + timedelta(days=1), end=START + timedelta(days=1, hours=2))
    await notify.tell(BookingMoved(booking=new, by="borrower"))
    async with notify.instance.running(notify.service):
        mails = [await notify.wait_for_mails(f"{name}@lille.example", 2) for name in ("bea", "omar")]
    for before, after in mails:
        old, moved = (Calendar.from_ical(mail.attachments[0].content) for mail in (before, after))
        [first], [second] = old.walk("VEVENT"), moved.walk("VEVENT")
        assert moved["method"] == "REQUEST"
        assert first["uid"] == second["uid"]
        assert int(cast("Any", second["sequence"])) > int(cast("Any", first["sequence"]))
        assert cast("Any", second["dtstart"]).dt == START + timedelta(days=1)


async def test_a_request_that_moves_is_asked_for_anew_and_is_in_no_calendar(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    state = booking(bea, omar)
    await notify.tell(BookingRequested(booking=state))
    await notify.tell(BookingMoved(booking=later(state, start=START + timedelta(hours=1)), by="borrower"))
    assert await templates(notify, omar) == ["booking-to-decide", "booking-to-decide"]
    newest, oldest = await notify.inbox(omar)
    assert (newest["read_at"], oldest["read_at"] is None) == (None, False)
    assert await mailed(notify) == [("booking-to-decide", "dropped"), ("booking-to-decide", "waiting")]
    assert (await templates(notify, bea))[1:] == ["booking-moved"]


async def test_the_second_yes_is_asked_of_others_and_nobody_is_asked_twice(notify: Notify) -> None:
    bea, omar, caro = await three(notify)
    carl = await notify.member("Carl", role="coordinator")
    state = booking(bea, omar)
    await notify.tell(BookingRequested(booking=state))
    state = later(state, approvals=1, approved_by=(omar,))
    await notify.tell(BookingRequested(booking=state))
    assert await templates(notify, omar) == ["booking-to-decide"]
    assert (await notify.inbox(omar))[0]["read_at"] is not None
    for coordinator in (caro, carl):
        assert await templates(notify, coordinator) == ["booking-to-decide"]
    assert await templates(notify, bea) == ["booking-asked"]
    await notify.tell(BookingRequested(booking=later(state)))
    assert await templates(notify, caro) == ["booking-to-decide"]

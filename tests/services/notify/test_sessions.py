"""Sessions, told to those concerned: once, in the right order whatever arrives first, and with their calendars."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from icalendar import Calendar

from contracts.booking import SeatChanged, SessionChanged, SessionReminder, SessionRole, SessionSeat, SessionState
from services.chassis import ids
from tests.services.notify.conftest import START, Notify


def state(**changes: Any) -> SessionState:
    values: dict[str, Any] = {
        "id": ids.new_id(), "series_id": None, "template": "co_development", "title": "Codéveloppement", "text": "",
        "start": START, "end": START + timedelta(hours=2), "time_zone": "Europe/Paris", "place_label": "Salle bleue",
        "has_video": True, "organiser_member_id": ids.new_id(), "organiser_name": "Dora", "circle_id": None,
        "circle_name": None, "audience": "cooperative", "audience_circle_ids": [], "private": False,
        "confidentiality": "",
        "roles": [SessionRole(code="client", label="C", minimum=1, maximum=1, taken=0, offered=0, waiting=0)],
        "steps": [], "status": "planned", "reason": None, "version": 1, "changed_at": datetime(2031, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return SessionState(**(values | changes))


def then(before: SessionState, **changes: Any) -> SessionState:
    return before.model_copy(update={"version": before.version + 1, **changes})


def seat(of: SessionState, member_id: UUID, status: Any, **changes: Any) -> SeatChanged:
    values: dict[str, Any] = {
        "member_id": member_id, "role": "client", "role_label": "Client·e", "state": status,
        "accept_by": START - timedelta(days=1) if status == "offered" else None,
        "position": 2 if status == "waiting" else None,
        "video_url": "https://video.example/salle" if status == "taken" else None,
    }  # fmt: skip
    return SeatChanged(session=of, seat=SessionSeat(**(values | changes)))


async def told(notify: Notify, member_id: UUID) -> list[str]:
    """Oldest first."""
    return [row["template"] for row in reversed(await notify.inbox(member_id))]


async def test_seat_is_confirmed_moved_and_cancelled_in_the_calendar(notify: Notify) -> None:
    bea = await notify.member("Bea")
    planned = state()
    moved = then(planned, start=START + timedelta(days=1), end=START + timedelta(days=1, hours=2))
    gone = then(moved, status="cancelled", reason="Salle fermée")
    async with notify.instance.running(notify.service):
        await notify.tell(seat(planned, bea, "taken"))
        await notify.wait_for_mails("bea@lille.example")
        await notify.tell(SessionChanged(session=moved))
        await notify.wait_for_mails("bea@lille.example", 2)
        await notify.tell(SessionChanged(session=gone))
        first, second, third = await notify.wait_for_mails("bea@lille.example", 3)
    assert first.subject == "Place confirmée : Codéveloppement, jeudi 20 mars 2031, 14\xa0h – 16\xa0h"
    assert "https://video.example/salle" in first.text
    assert second.subject.startswith("Séance déplacée")
    assert "Elle était prévue jeudi 20 mars 2031 à 14\xa0h" in second.text
    assert "Salle fermée" in third.text
    calendars = [Calendar.from_ical(mail.attachments[0].content) for mail in (first, second, third)]
    assert [one["method"] for one in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [one.walk("VEVENT")[0] for one in calendars]
    assert {str(event["uid"]) for event in events} == {f"{planned.id}@{notify.instance.name}"}
    assert [event["sequence"] for event in events] == [1, 2, 3]
    assert cast("Any", events[1]["dtstart"]).dt == moved.start


async def test_an_offer_says_until_when_and_is_asked_no_longer_once_answered(notify: Notify) -> None:
    bea, carl = await notify.member("Bea"), await notify.member("Carl")
    planned = state()
    await notify.tell(seat(planned, bea, "offered"))
    await notify.tell(seat(then(planned), carl, "offered"))
    [mine] = await notify.inbox(bea)
    assert "acceptez avant mercredi 19 mars 2031 à 14\xa0h" in mine["title"]
    assert mine["url"] == f"/sessions/{planned.id}"
    await notify.tell(seat(planned.model_copy(update={"version": 5}), bea, "missed"))
    assert [(row["template"], row["read_at"] is None) for row in await notify.inbox(bea)] == [
        ("session-seat-missed", True), ("session-seat-offered", False)
    ]  # fmt: skip
    assert (await notify.inbox(carl))[0]["read_at"] is None


async def test_a_move_is_told_once_whichever_event_brings_it(notify: Notify) -> None:
    bea, carl = await notify.member("Bea"), await notify.member("Carl")
    planned = state()
    await notify.tell(seat(planned, bea, "taken"))
    moved = then(planned, start=START - timedelta(hours=1))
    # Carl's seat was taken after the move, and its event overtakes that of the move.
    await notify.tell(seat(then(moved), carl, "taken"))
    await notify.tell(SessionChanged(session=moved))
    assert await told(notify, bea) == ["session-seat-taken", "session-moved"]
    assert await told(notify, carl) == ["session-seat-taken"]


async def test_what_was_overtaken_is_not_told(notify: Notify) -> None:
    bea = await notify.member("Bea")
    planned = state()
    await notify.tell(seat(then(planned), bea, "left"))
    await notify.tell(seat(planned, bea, "taken"))
    assert await told(notify, bea) == ["session-seat-left"]


async def test_who_hears_of_a_seat_after_the_end_hears_of_the_end(notify: Notify) -> None:
    bea = await notify.member("Bea")
    planned = state()
    await notify.tell(SessionChanged(session=then(planned, status="cancelled")))
    await notify.tell(seat(planned, bea, "taken"))
    assert await told(notify, bea) == ["session-cancelled"]


async def test_leaving_takes_the_entry_out_and_waiting_is_not_mailed(notify: Notify) -> None:
    bea, carl = await notify.member("Bea"), await notify.member("Carl")
    planned = state()
    await notify.tell(seat(planned, bea, "taken"))
    await notify.tell(seat(then(planned), carl, "waiting"))
    await notify.tell(seat(then(then(planned)), bea, "left"))
    mails = await notify.mails()
    assert [(row["member_id"], row["template"]) for row in mails] == [
        (bea, "session-seat-taken"), (bea, "session-seat-left")
    ]  # fmt: skip
    assert mails[1]["facts"]["calendar"]["method"] == "CANCEL"
    assert (await notify.inbox(carl))[0]["body"].startswith("Vous êtes en position 2")


async def test_reminders_go_to_those_with_a_seat_and_say_to_the_organiser_what_is_missing(notify: Notify) -> None:
    bea, dora = await notify.member("Bea"), await notify.member("Dora")
    planned = state(organiser_member_id=dora)
    reminder = SessionReminder(
        session=planned, member_ids=[bea, dora], video_url="https://video.example/salle", short=True
    )
    await notify.tell(reminder)
    [mine], [hers] = await notify.inbox(bea), await notify.inbox(dora)
    assert "Il manque" not in mine["body"]
    assert "Il manque encore des personnes." in hers["body"]
    assert len(await notify.mails()) == 2
    await notify.tell(SessionChanged(session=then(planned, status="cancelled")))
    await notify.tell(reminder)
    assert len([one for one in await told(notify, bea) if one == "session-reminder"]) == 1

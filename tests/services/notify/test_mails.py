"""Mails leave, arrive once, carry their calendar, and keep no secret."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from icalendar import Calendar

from contracts.booking import BookingCancelled, BookingConfirmed
from contracts.identity import EmailChanged, MemberInvited
from services.chassis import ids
from tests.services.notify.conftest import START, Notify, booking, later


def invitation(email: str = "zoe@example.org", *, minutes: int = 60) -> MemberInvited:
    return MemberInvited(
        request_id=ids.new_id(),
        email=email,
        name="Zoé",
        locale="fr",
        link="http://lille.example/account/join/s3cret-token",
        expires_at=datetime.now(UTC) + timedelta(minutes=minutes),
        inviter_name="Léa",
        cooperative_name="Optéos",
    )


async def test_invitation_is_mailed_and_its_secret_forgotten(notify: Notify) -> None:
    await notify.tell(invitation())
    async with notify.instance.running(notify.service):
        [mail] = await notify.wait_for_mails("zoe@example.org")
        await until_sent(notify)
    assert mail.subject == "Léa vous invite à rejoindre Optéos"
    assert mail.links == ["http://lille.example/account/join/s3cret-token"]
    assert "s3cret-token" in mail.html
    [row] = await notify.mails()
    assert row["status"] == "sent"
    assert row["facts"] is None
    assert "s3cret" not in str(dict(row))


async def test_booking_mail_carries_a_calendar_entry_that_its_cancellation_takes_out(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar", locale="en")
    state = booking(bea, omar, status="confirmed")
    await notify.tell(BookingConfirmed(booking=state))
    gone = later(state, status="cancelled", reason="En panne")
    async with notify.instance.running(notify.service):
        [first] = await notify.wait_for_mails("bea@lille.example")
        await notify.tell(BookingCancelled(booking=gone, by="owner"))
        _, second = await notify.wait_for_mails("bea@lille.example", 2)
        english, _ = await notify.wait_for_mails("omar@lille.example", 2)
    assert first.subject == "Réservation confirmée : Découpeuse laser, jeudi 20 mars 2031, 14\xa0h – 17\xa0h"
    assert english.subject == "New booking: Découpeuse laser, Thursday 20 March 2031, 14:00 – 17:00"
    asked, taken_out = (Calendar.from_ical(mail.attachments[0].content) for mail in (first, second))
    assert (asked["method"], taken_out["method"]) == ("REQUEST", "CANCEL")
    [event], [end] = asked.walk("VEVENT"), taken_out.walk("VEVENT")
    assert event["uid"] == end["uid"] == f"{state.id}@{notify.instance.name}"
    assert (event["sequence"], end["sequence"]) == (1, 2)
    assert (event["status"], end["status"]) == ("CONFIRMED", "CANCELLED")
    assert cast("Any", event["dtstart"]).dt == START
    assert event["dtstart"].params["tzid"] == "Europe/Paris"
    assert len(asked.walk("VTIMEZONE")) == 1
    assert str(event["attendee"]) == "mailto:bea@lille.example"
    assert "En panne" in second.text


async def test_former_address_is_warned(notify: Notify) -> None:
    await notify.tell(EmailChanged(member_id=ids.new_id(), old_email="old@example.org", name="Ana", locale="nl"))
    async with notify.instance.running(notify.service):
        [mail] = await notify.wait_for_mails("old@example.org")
    assert mail.subject == "Het adres van uw account is gewijzigd"


async def until_sent(notify: Notify) -> None:
    for _ in range(200):
        if all(row["status"] != "waiting" for row in await notify.mails()):
            return
        await asyncio.sleep(0.02)
    raise AssertionError([dict(row) for row in await notify.mails()])

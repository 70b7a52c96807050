"""Calendar feeds: what programs read at a secret address, and who may have one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import recurring_ical_events
from icalendar import Calendar

from contracts.identity import CircleChanged, CircleState
from services.chassis.ids import new_id
from services.notify.commands.people import Home
from services.notify.domain import booking_facts, calendar_of
from services.notify.letters import Letter, compose
from services.notify.settings import NotifySettings
from tests.services.booking.workshop import PARIS, Workshop, at

DENIED = 404


@pytest.fixture
async def anybody(workshop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    """A program that knows addresses and nothing else."""
    transport = httpx.ASGITransport(app=workshop.service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def made(client: httpx.AsyncClient, kind: str = "member", subject: UUID | None = None) -> dict[str, Any]:
    body = {"kind": kind, "subject_id": str(subject) if subject else None}
    answer = await client.post("/my/feeds", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def events(anybody: httpx.AsyncClient, address: str) -> list[dict[str, Any]]:
    answer = await anybody.get(address)
    assert answer.status_code == 200, answer.text
    return [dict(event.items()) for event in Calendar.from_ical(answer.content).walk("VEVENT")]


async def booked(workshop: Workshop, client: httpx.AsyncClient, hour: int = 9, **more: Any) -> dict[str, Any]:
    answer = await workshop.book(client, at(hour), at(hour + 2), **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_member_finds_what_they_booked_and_what_others_booked_of_theirs(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    booking = await booked(workshop, workshop.as_ana, note="plexi, 3 mm; deux plaques")
    [mine] = await events(anybody, (await made(workshop.as_ana))["address"])
    [theirs] = await events(anybody, (await made(workshop.as_omar))["address"])
    assert await events(anybody, (await made(workshop.as_chloe))["address"]) == []
    assert mine["UID"] == theirs["UID"] == f"{booking['id']}@{workshop.instance.name}"
    assert (mine["SUMMARY"], theirs["SUMMARY"]) == ("Découpe laser", "Découpe laser – Ana")
    assert mine["DESCRIPTION"] == "Chez : Omar\nplexi, 3 mm; deux plaques"
    assert theirs["DESCRIPTION"] == "Pour : Ana\nplexi, 3 mm; deux plaques"
    assert mine["STATUS"] == "CONFIRMED"
    assert (mine["TRANSP"], theirs["TRANSP"]) == ("OPAQUE", "TRANSPARENT")  # the machine is busy, Omar is not
    assert (mine["DTSTART"].dt, mine["DTEND"].dt) == (at(9), at(11))
    assert mine["DTSTART"].params["TZID"] == "Europe/Paris"
    assert mine["LOCATION"] == "12 rue des Arts, Lille"
    assert mine["URL"] == f"http://127.0.0.1:8000/bookings/{booking['id']}"
    assert mine["SEQUENCE"] == booking["version"]
    assert mine["LAST-MODIFIED"].dt == mine["DTSTAMP"].dt


async def test_the_file_is_what_calendar_programs_want(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    await booked(workshop, workshop.as_ana, note="é" * 200)
    answer = await anybody.get((await made(workshop.as_ana))["address"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75
    read: Any = Calendar.from_ical(answer.content)
    assert read["VERSION"] == "2.0"
    assert read["X-WR-CALNAME"] == "Mes réservations"
    assert read["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert b"\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in answer.content
    assert b"\r\nX-PUBLISHED-TTL:PT1H\r\n" in answer.content
    assert "METHOD" not in read
    [zone] = read.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Paris"
    assert {part["TZOFFSETTO"].td.seconds // 3600 for part in zone.subcomponents} == {1, 2}
    other_parser: list[Any] = recurring_ical_events.of(read).between(at(0), at(23))
    assert [(one["DTSTART"].dt, one["DTEND"].dt) for one in other_parser] == [(at(9), at(11))]


async def test_a_feed_and_a_mail_speak_of_the_same_event(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    """Same UID, SEQUENCE, times and zone, or calendars would show the booking twice."""
    await booked(workshop, workshop.as_ana)
    [confirmed] = [event for event in await workshop.said() if event.type == "booking.confirmed.v1"]
    facts = booking_facts(confirmed.booking) | {"calendar": calendar_of("REQUEST", confirmed.booking)}
    letter = Letter(
        delivery_id=new_id(), template="booking-confirmed", facts=facts, url=f"/bookings/{confirmed.booking.id}",
        about_id=None, email="ana@lille.example", name="Ana", locale="fr", to_member=True, traceparent=None,
    )  # fmt: skip
    home = Home(name="Optéos", locale="fr", time_zone="Europe/Paris", contact_email=None)
    mail = compose(letter, home, workshop.instance.settings(NotifySettings), now=datetime.now(UTC))
    [attached] = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
    [mailed] = Calendar.from_ical(attached.get_content()).walk("VEVENT")
    [fed] = await events(anybody, (await made(workshop.as_ana))["address"])
    for name in ("UID", "SEQUENCE", "SUMMARY", "LOCATION", "URL", "STATUS"):
        assert mailed[name] == fed[name], name
    for name in ("DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED"):
        assert dict(mailed.items())[name].dt == fed[name].dt, name


async def test_what_happens_to_a_booking_is_seen_in_its_event(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    await workshop.rules(approval="owner")
    booking = await booked(workshop, workshop.as_ana)
    address = (await made(workshop.as_ana))["address"]
    [waiting] = await events(anybody, address)
    assert (waiting["STATUS"], waiting["SUMMARY"]) == ("TENTATIVE", "Découpe laser (en attente)")
    await workshop.as_omar.post(f"/bookings/{booking['id']}/approve")
    [confirmed] = await events(anybody, address)
    await workshop.as_ana.post(f"/bookings/{booking['id']}/cancel", json={"reason": "Malade"})
    [cancelled] = await events(anybody, address)
    assert (confirmed["STATUS"], cancelled["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert cancelled["TRANSP"] == "TRANSPARENT"
    assert "Motif : Malade" in cancelled["DESCRIPTION"]
    assert len({one["UID"] for one in (waiting, confirmed, cancelled)}) == 1
    assert waiting["SEQUENCE"] < confirmed["SEQUENCE"] < cancelled["SEQUENCE"]


async def test_past_bookings_stay_for_a_year(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    booking = await booked(workshop, workshop.as_ana)
    address = (await made(workshop.as_ana))["address"]
    for days, found in ((360, 1), (380, 0)):
        await workshop.sql(
            "UPDATE bookings SET status = 'completed', starts_at = now() - make_interval(days => :days),"
            " ends_at = now() - make_interval(days => :days) + interval '1 hour' WHERE id = :id",
            id=UUID(booking["id"]),
            days=days,
        )
        assert len(await events(anybody, address)) == found


async def test_unchanged_feeds_are_not_sent_again(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    await booked(workshop, workshop.as_ana)
    address = (await made(workshop.as_ana))["address"]
    first = await anybody.get(address)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for known in ({"if-none-match": etag}, {"if-none-match": f'"x", W/{etag}'}, {"if-modified-since": modified}):
        again = await anybody.get(address, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    changed = await anybody.get(address, headers={"if-none-match": '"other"', "if-modified-since": modified})
    assert changed.status_code == 200
    assert changed.content == first.content
    assert (await anybody.head(address)).headers["etag"] == etag
    await booked(workshop, workshop.as_ana, hour=14)
    fresh = await anybody.get(address, headers={"if-none-match": etag})
    assert fresh.status_code == 200
    assert fresh.headers["etag"] != etag


async def test_a_resources_feed_is_for_its_owner_and_coordinators(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    await booked(workshop, workshop.as_ana)
    for client in (workshop.as_omar, workshop.as_chloe):
        feed = await made(client, "resource", workshop.laser)
        assert feed["title"] == "Découpe laser"
        [event] = await events(anybody, feed["address"])
        assert event["SUMMARY"] == "Découpe laser – Ana"
    refused = await workshop.as_ana.post("/my/feeds", json={"kind": "resource", "subject_id": str(workshop.laser)})
    assert refused.status_code == 403
    unknown = await workshop.as_omar.post("/my/feeds", json={"kind": "resource", "subject_id": str(new_id())})
    assert unknown.status_code == 404


async def test_free_and_busy_times_have_nobody_in_them(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    await workshop.rules(buffer_after_minutes=30)
    booking = await booked(workshop, workshop.as_ana, note="secret")
    feed = await made(workshop.as_chloe, "busy", workshop.laser)
    answer = await anybody.get(feed["address"])
    for word in ("Ana", "Omar", "secret", booking["id"], "bookings"):
        assert word not in answer.text
    [event] = await events(anybody, feed["address"])
    assert (event["SUMMARY"], event["TRANSP"], event["STATUS"]) == ("Occupé", "OPAQUE", "CONFIRMED")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (at(9), at(11, 30))
    busy = await anybody.get(feed["free_busy_address"])
    [told] = Calendar.from_ical(busy.content).walk("VFREEBUSY")
    values: dict[str, Any] = {str(name): value for name, value in told.items()}
    assert values["FREEBUSY"].dt == (at(9), at(11, 30))
    assert values["FREEBUSY"].params["FBTYPE"] == "BUSY"
    assert values["DTSTART"].dt < at(9) < values["DTEND"].dt
    assert "Ana" not in busy.text
    known = await anybody.get(feed["free_busy_address"], headers={"if-none-match": busy.headers["etag"]})
    assert known.status_code == 304


async def test_a_circles_feed_is_for_its_members_and_names_only_whom_they_know(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    circle = new_id()
    await workshop.publish(owner_circle_id=circle, owner_name="Cercle bois")
    await workshop.hear(circle_of(circle, workshop.ana, workshop.omar))
    booking = await booked(workshop, workshop.as_chloe, note="pour moi")
    in_it, owner = await made(workshop.as_ana, "circle", circle), await made(workshop.as_omar, "circle", circle)
    [seen] = await events(anybody, in_it["address"])
    assert seen["SUMMARY"] == "Découpe laser"
    assert "DESCRIPTION" not in seen
    assert seen["URL"] == f"http://127.0.0.1:8000/offers/{workshop.laser}"
    [named] = await events(anybody, owner["address"])
    assert (named["SUMMARY"], named["UID"]) == ("Découpe laser – Chloé", f"{booking['id']}@{workshop.instance.name}")
    assert (await workshop.as_chloe.post("/my/feeds", json=circle_form(circle))).status_code == 404
    await workshop.hear(circle_of(circle, workshop.omar, version=2))
    assert (await anybody.get(in_it["address"])).status_code == DENIED
    assert (await anybody.get(owner["address"])).status_code == 200


def circle_of(circle_id: UUID, *members: UUID, version: int = 1) -> CircleChanged:
    state = CircleState(
        id=circle_id, name="Cercle bois", purpose="", member_ids=list(members), status="active", version=version
    )
    return CircleChanged(circle=state)


def circle_form(circle_id: UUID) -> dict[str, str]:
    return {"kind": "circle", "subject_id": str(circle_id)}


async def test_the_other_cooperatives_person_is_named_once_it_is_confirmed(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    booking = await booked(workshop, workshop.as_ana)
    address = (await made(workshop.as_omar))["address"]
    await workshop.sql(
        "UPDATE bookings SET borrower_member_id = NULL, borrower_peer_id = 'p', borrower_peer_name = 'OpenFlow',"
        " borrower_name = 'Paul', status = 'pending', decide_by = now() + interval '1 day' WHERE id = :id",
        id=UUID(booking["id"]),
    )
    [waiting] = await events(anybody, address)
    assert waiting["SUMMARY"] == "Découpe laser – une personne de OpenFlow (en attente)"
    assert "Paul" not in str(waiting)
    await workshop.sql("UPDATE bookings SET status = 'confirmed'")
    [agreed] = await events(anybody, address)
    assert agreed["SUMMARY"] == "Découpe laser – Paul (OpenFlow)"


async def test_bookings_in_the_weeks_of_the_clock_changes_keep_their_instant(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    booking = await booked(workshop, workshop.as_ana)
    address = (await made(workshop.as_ana))["address"]
    spring, autumn = (last_sunday(month, now=datetime.now(UTC)) for month in (3, 10))
    for change in (spring, autumn):
        for minutes in (-120, -60, -30, 0, 30, 60, 24 * 60):
            instant = change + timedelta(minutes=minutes)
            await workshop.sql(
                "UPDATE bookings SET starts_at = :start, ends_at = :end WHERE id = :id",
                id=UUID(booking["id"]),
                start=instant,
                end=instant + timedelta(hours=1),
            )
            [event] = await events(anybody, address)
            start, end = (event[name].dt for name in ("DTSTART", "DTEND"))
            assert (start.astimezone(UTC), end.astimezone(UTC)) == (instant, instant + timedelta(hours=1))
            if event["DTSTART"].params.get("TZID"):
                assert start.replace(tzinfo=None) == instant.astimezone(PARIS).replace(tzinfo=None)
            else:  # the hour that clocks show twice
                assert instant.astimezone(PARIS).hour == 2


def last_sunday(month: int, *, now: datetime) -> datetime:
    """The clock change in the last night of `month` that begins a Sunday, next year: 01:00 UTC in Europe."""
    last = datetime(now.year + 1, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


async def test_private_bookings_are_in_no_circles_feed(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    circle = new_id()
    await workshop.publish(owner_circle_id=circle, owner_name="Cercle écoute")
    await workshop.hear(circle_of(circle, workshop.ana, workshop.omar))
    await workshop.rules(terms={"private": True})
    await booked(workshop, workshop.as_ana, circle_id=str(circle))
    feed = await made(workshop.as_omar, "circle", circle)
    assert await events(anybody, feed["address"]) == []
    assert len(await events(anybody, (await made(workshop.as_ana))["address"])) == 1

"""A member's calendar elsewhere: read by itself, blocking that member's hours, and never a way into our own house."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.booking import BookingDeclined, BookingRequested, BusyChanged
from contracts.federation import BookingRequestReceived
from services.booking.calendar_reader import LARGEST, CalendarReader
from services.booking.sealing import Sealer
from services.booking.settings import BookingSettings
from services.chassis.ids import new_id
from tests.instances import Instance
from tests.services.booking.workshop import Workshop, at, iso, opened
from tests.unit.booking.calendars import calendar, event

SECRET = "private-0123456789abcdef"


@dataclass
class Server:
    """Somebody's calendar server, with one calendar."""

    address: str = ""
    content: bytes = b""
    status: str = "200 OK"
    headers: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.asked.append(asked)
        unchanged = any(f"if-none-match: {one.partition(': ')[2]}".lower() in asked for one in self.headers)
        status, body = ("304 Not Modified", b"") if unchanged else (self.status, self.content)
        head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *self.headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    server = Server()
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.address = f"http://127.0.0.1:{port}/ical/{SECRET}/basic.ics"
        yield server


@pytest.fixture
async def elsewhere() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def studio(instance: Instance) -> AsyncIterator[Workshop]:
    """A workshop in which Omar offers his own time, and calendars may be on this machine."""
    async with opened(instance, booking_calendar_allow_private=True) as made:
        await made.publish(kind="expertise", title="Conseil")
        yield made


def reader(workshop: Workshop) -> CalendarReader:
    settings = workshop.service.app.state.settings
    assert isinstance(settings, BookingSettings)
    return CalendarReader(workshop.db, settings, Sealer(settings))


def busy_at(*hours: int, uid: str = "a") -> bytes:
    stamps = ((at(hour), at(hour + 1)) for hour in hours)
    parts = [
        event(f":{start:%Y%m%dT%H%M%SZ}", f":{end:%Y%m%dT%H%M%SZ}", uid=f"{uid}{start:%H}@elsewhere")
        for start, end in stamps
    ]
    return calendar(*parts)


async def follow(workshop: Workshop, server: Server, *hours: int) -> None:
    """Omar gives his calendar, in which these hours of a day are busy, and lets his offer follow it."""
    server.content = busy_at(*hours)
    given = await workshop.as_omar.put("/my/calendar", json={"address": server.address})
    assert given.status_code == 200, given.text
    followed = await workshop.as_omar.put(f"/resources/{workshop.laser}/calendar", json={"follows_calendar": True})
    assert followed.json() == {
        "offer_id": str(workshop.laser),
        "possible": True,
        "follows_calendar": True,
        "calendar_given": True,
    }
    assert await reader(workshop).read_due() == 1


async def state(workshop: Workshop) -> dict[str, Any]:
    return (await workshop.as_omar.get("/my/calendar")).json()


async def due_again(workshop: Workshop) -> int:
    await workshop.sql("UPDATE external_calendars SET next_at = now()")
    return await reader(workshop).read_due()


async def give(workshop: Workshop, member_id: UUID, address: bytes) -> None:
    await workshop.sql(
        "INSERT INTO external_calendars (member_id, address, host, time_zone, version, next_at, failures, times, cut)"
        " VALUES (:id, :address, 'x', 'Europe/Paris', 1, now(), 0, 0, false)",
        id=member_id,
        address=address,
    )


async def test_busy_times_elsewhere_cannot_be_booked_and_all_others_can(studio: Workshop, elsewhere: Server) -> None:
    await follow(studio, elsewhere, 10)
    refused = await studio.book(studio.as_ana, at(9, 30), at(10, 30))
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:maillage:problem:booking/resource-is-taken"
    assert refused.json()["alternatives"][0] == {"start": iso(at(9)), "end": iso(at(10))}
    assert (await studio.book(studio.as_ana, at(9), at(10))).status_code == 201
    assert (await studio.book(studio.as_ana, at(11), at(12))).status_code == 201
    params = {"from": at(12).date().isoformat(), "days": 1}
    [day] = (await studio.as_ana.get(f"/resources/{studio.laser}/availability", params=params)).json()["days"]
    assert day["busy"] == [{"start": iso(at(9)), "end": iso(at(12))}]


async def test_the_approval_and_the_peer_see_them_too(studio: Workshop, elsewhere: Server) -> None:
    await studio.rules(approval="owner")
    asked = (await studio.book(studio.as_ana, at(10), at(11))).json()
    await studio.said()
    await follow(studio, elsewhere, 10, 14)
    told = (await studio.said(BusyChanged))[-1]
    assert [(one.start, one.end) for one in told.busy] == [(at(10), at(11)), (at(14), at(15))]
    refused = await studio.as_omar.post(f"/bookings/{asked['id']}/approve")
    assert refused.status_code == 409
    assert (await studio.as_ana.get(f"/bookings/{asked['id']}")).json()["status"] == "pending"
    await studio.publish(kind="expertise", audience={"scope": "peers", "circle_ids": [], "peer_ids": []})
    await studio.hear(request_of_peer(studio, at(14), at(15)))
    await studio.hear(request_of_peer(studio, at(15), at(16)))
    [declined, asked_too] = await studio.said(BookingDeclined, BookingRequested)
    assert (declined.booking.status, asked_too.booking.status) == ("declined", "pending")


def request_of_peer(workshop: Workshop, start: datetime, end: datetime) -> BookingRequestReceived:
    return BookingRequestReceived(
        origin="p",
        origin_name="OpenFlow",
        booking_id=new_id(),
        offer_id=workshop.laser,
        start=start,
        end=end,
        quantity=1,
        note="",
        pseudonym="x",
        decide_by=start - timedelta(hours=1),
    )


async def test_what_is_booked_stays_and_only_offers_of_ones_own_time_follow(
    studio: Workshop, elsewhere: Server
) -> None:
    booking = (await studio.book(studio.as_ana, at(10), at(11))).json()
    await follow(studio, elsewhere, 10)
    assert (await studio.as_ana.get(f"/bookings/{booking['id']}")).json()["status"] == "confirmed"
    saw = await studio.publish(new_id(), kind="machine", title="Scie")
    await studio.rules(saw)
    path = f"/resources/{saw}/calendar"
    assert (await studio.as_omar.get(path)).json()["possible"] is False
    refused = await studio.as_omar.put(path, json={"follows_calendar": True})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:maillage:problem:booking/not-a-persons-time")
    assert (await studio.book(studio.as_ana, at(10), at(11), offer_id=str(saw))).status_code == 201
    for client in (studio.as_ana, studio.as_chloe):
        assert (await client.put(path, json={"follows_calendar": True})).status_code == 403


async def test_an_offer_that_does_not_follow_is_not_blocked(studio: Workshop, elsewhere: Server) -> None:
    await follow(studio, elsewhere, 10)
    await studio.as_omar.put(f"/resources/{studio.laser}/calendar", json={"follows_calendar": False})
    assert (await studio.book(studio.as_ana, at(10), at(11))).status_code == 201


async def test_our_own_booking_in_it_does_not_block_itself(studio: Workshop, elsewhere: Server) -> None:
    await studio.rules(approval="owner")
    asked = (await studio.book(studio.as_ana, at(10), at(11))).json()
    await follow(studio, elsewhere)
    elsewhere.content = calendar(
        event(f":{at(10):%Y%m%dT%H%M%SZ}", f":{at(11):%Y%m%dT%H%M%SZ}", uid=f"{asked['id']}@{studio.instance.name}")
    )
    assert await due_again(studio) == 1
    assert (await studio.as_omar.post(f"/bookings/{asked['id']}/approve")).status_code == 200


async def test_it_is_read_again_only_when_it_has_changed(studio: Workshop, elsewhere: Server) -> None:
    elsewhere.headers = ['etag: "v1"']
    await follow(studio, elsewhere, 10)
    first = await state(studio)
    assert (first["count"], first["cut"], first["error"], first["host"]) == (1, False, None, "127.0.0.1")
    assert timedelta(minutes=26) < datetime.fromisoformat(first["next_at"]) - datetime.now(UTC) < timedelta(minutes=34)
    assert await reader(studio).read_due() == 0
    assert await due_again(studio) == 1
    assert 'if-none-match: "v1"' in elsewhere.asked[-1]
    assert (await state(studio))["count"] == 1
    elsewhere.headers, elsewhere.content = ['etag: "v2"'], busy_at(14, 16)
    await studio.said()
    assert await due_again(studio) == 1
    assert (await state(studio))["count"] == 2
    assert len(await studio.said(BusyChanged)) == 1
    await studio.sql("UPDATE external_calendars SET whole_at = now() - interval '1 day'")
    assert await due_again(studio) == 1
    assert "if-none-match" not in elsewhere.asked[-1]
    assert await studio.said() == []  # read whole again, and nothing in it was new
    assert (await studio.book(studio.as_ana, at(10), at(11))).status_code == 201
    assert (await studio.book(studio.as_ana, at(14), at(15))).status_code == 409


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        ("404 Not Found", b"", "refused"),
        ("401 Unauthorized", b"", "refused"),
        ("302 Found", b"", "moved"),
        ("500 Oh", b"", "unreachable"),
        ("200 OK", b"<html>sign in</html>", "unreadable"),
        ("200 OK", b"x" * (LARGEST + 1), "too_large"),
        ("200 OK", calendar(event(":19700101T000000Z", "", "RRULE:FREQ=SECONDLY")), "too_heavy"),
    ],
)
async def test_a_failure_is_said_tried_again_later_and_forgets_nothing(
    studio: Workshop, elsewhere: Server, status: str, content: bytes, error: str
) -> None:
    await follow(studio, elsewhere, 10)
    elsewhere.status, elsewhere.content = status, content
    for minutes in (10, 20):
        assert await due_again(studio) == 1
        seen = await state(studio)
        assert seen["error"] == error
        assert seen["detail"]
        assert seen["count"] == 1
        wait = datetime.fromisoformat(seen["next_at"]) - datetime.now(UTC)
        assert timedelta(minutes=minutes * 0.85) < wait < timedelta(minutes=minutes * 1.15)
    assert (await studio.book(studio.as_ana, at(10), at(11))).status_code == 409
    elsewhere.status, elsewhere.content = "200 OK", busy_at(12)
    assert await due_again(studio) == 1
    assert (await state(studio))["error"] is None


async def test_a_server_that_is_away_is_no_accident(studio: Workshop, elsewhere: Server) -> None:
    await studio.as_omar.put("/my/calendar", json={"address": "http://127.0.0.1:1/x.ics"})
    assert await reader(studio).read_due() == 1
    assert (await state(studio))["error"] == "unreachable"


async def test_two_replicas_read_each_calendar_once(studio: Workshop, elsewhere: Server) -> None:
    elsewhere.content = busy_at(9)
    sealer = Sealer(studio.service.app.state.settings)
    members = [new_id() for _ in range(6)]
    for member_id in members:
        await give(studio, member_id, sealer.seal(member_id, elsewhere.address))
    counts = await asyncio.gather(*(reader(studio).read_due() for _ in range(3)))
    assert sum(counts) == 6
    assert len(elsewhere.asked) == 6

"""The inbox as the portal reads it, and live."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from contracts.booking import BookingExpired
from services.chassis import ids, paging
from services.notify import live
from tests.services.notify.conftest import Notify, booking


async def notify_times(notify: Notify, member_id: UUID, count: int) -> None:
    for number in range(count):
        state = booking(member_id, None, status="expired", offer_title=f"Offre {number}")
        await notify.tell(BookingExpired(booking=state))


async def test_pages_newest_first_and_counts_unread(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify_times(notify, bea, 5)
    await notify_times(notify, omar, 1)
    async with notify.client(bea) as http:
        first = (await http.get("/inbox", params={"limit": 3})).json()
        rest = (await http.get("/inbox", params={"limit": 3, "cursor": first["next"]})).json()
        assert [item["title"][-1] for item in first["items"] + rest["items"]] == ["4", "3", "2", "1", "0"]
        assert rest["next"] is None
        assert (await http.get("/inbox/unread")).json() == {"count": 5}
        assert (await http.post(f"/inbox/{first['items'][0]['id']}/read")).status_code == 204
        assert (await http.get("/inbox/unread")).json() == {"count": 4}
        unread = (await http.get("/inbox", params={"unread": True})).json()["items"]
        assert [item["read"] for item in unread] == [False] * 4
        assert (await http.post("/inbox/read-all")).status_code == 204
        assert (await http.get("/inbox/unread")).json() == {"count": 0}
    async with notify.client(omar) as http:
        assert (await http.get("/inbox/unread")).json() == {"count": 1}


async def test_nobody_reads_or_marks_anothers_inbox(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify_times(notify, bea, 1)
    [row] = await notify.inbox(bea)
    async with notify.client(omar) as http:
        assert (await http.get("/inbox")).json()["items"] == []
        assert (await http.post(f"/inbox/{row['id']}/read")).status_code == 404
        assert (await http.post(f"/inbox/{ids.new_id()}/read")).status_code == 404
        assert (await http.get("/mails")).status_code == 403
    async with notify.instance.client(notify.service) as http:
        assert (await http.get("/inbox")).status_code == 401
        assert (await http.get("/inbox/live")).status_code == 401


async def test_a_member_follows_their_inbox_in_so_many_windows_and_hinders_nobody_else(notify: Notify) -> None:
    bea = await notify.member("Bea")
    hub: live.Hub = notify.service.app.state.hub
    with ExitStack() as windows:
        for _ in range(live.MOST_AT_ONCE):
            hub.check_room(bea)
            windows.enter_context(hub.following(bea))
        async with notify.client(bea) as http:
            refused = await http.get("/inbox/live")
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:maillage:problem:notify/too-many-live")
        assert "20 fenêtres" in refused.json()["detail"]
        hub.check_room(ids.new_id())
    hub.check_room(bea)


async def test_wrong_input_is_said_in_the_readers_language(notify: Notify) -> None:
    async with notify.client(await notify.member("Bea")) as http:
        answer = await http.put("/preferences", json={"email": "sometimes"}, headers={"Accept-Language": "nl"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "email"
        assert (await http.get("/inbox", params={"cursor": "x"})).status_code == 422
        assert (await http.get("/inbox", params={"cursor": paging.encode(True)})).status_code == 200
        assert (await http.get("/preferences")).json() == {"email": "all"}


@asynccontextmanager
async def served(notify: Notify) -> AsyncGenerator[str]:
    """The service on a port: streams need a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(notify.service.app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with notify.instance.running(notify.service):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/notify"
        server.should_exit = True
        await serving


class Stream:
    """A browser's EventSource, as far as it matters here."""

    def __init__(self, notify: Notify, url: str, member_id: UUID, **headers: str) -> None:
        token = notify.instance.token(member_id=member_id)
        notify.instance.trust_tokens(notify.service)
        self._url = f"{url}/inbox/live"
        self._headers = {"Authorization": f"Bearer {token}", **headers}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AsyncIterator[dict[str, Any]]]:
        async with (
            httpx.AsyncClient(timeout=10) as http,
            http.stream("GET", self._url, headers=self._headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            await anext(lines)  # the first comment: the server listens from here on
            yield _events(lines)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if name in {"id", "event", "data"}:
            event[name] = json.loads(value) if name == "data" else value
        elif not line and event:
            yield event
            event = {}


async def test_a_live_inbox_shows_what_comes_at_once_and_resumes_without_a_gap(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify_times(notify, bea, 1)
    async with served(notify) as url:
        async with Stream(notify, url, bea).open() as events:
            await asyncio.sleep(0.5)  # the listening connection is up
            await notify_times(notify, omar, 1)
            began = time.perf_counter()
            await notify_times(notify, bea, 1)
            first = await anext(events)
            seconds = time.perf_counter() - began
        assert first["event"] == "notification"
        assert first["data"]["title"] == "Demande expirée : Offre 0"
        assert first["id"] == first["data"]["id"]
        print(f"event to live inbox: {seconds * 1000:.0f} ms")
        await notify_times(notify, bea, 120)
        async with Stream(notify, url, bea, **{"Last-Event-ID": first["id"]}).open() as events:
            missed = [await anext(events) for _ in range(120)]
    assert [event["data"]["title"] for event in missed] == [f"Demande expirée : Offre {n}" for n in range(120)]


async def test_writers_at_the_same_time_leave_no_gap_in_a_live_inbox(notify: Notify) -> None:
    bea = await notify.member("Bea")
    async with served(notify) as url, Stream(notify, url, bea).open() as events:
        await asyncio.sleep(0.5)
        await asyncio.gather(*(notify_times(notify, bea, 10) for _ in range(4)))
        seen = [(await anext(events))["id"] for _ in range(40)]
    rows = await notify.inbox(bea)
    assert seen == [str(row["id"]) for row in reversed(rows)]

"""One process, many services: what the world reaches of them, and loops that outlive their own errors."""

import asyncio
import time

import httpx
import pytest
from fastapi import FastAPI, Request

from services.chassis import messaging, process
from services.chassis.http import LARGEST_BODY, create_app
from services.chassis.process import Composite, Service, running
from services.notify import sending

PEER, NEIGHBOUR = ("203.0.113.9", 4711), ("127.0.0.1", 4711)


def client_of(*services: Service, peer: tuple[str, int] = PEER) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Composite(list(services)), client=peer)
    return httpx.AsyncClient(transport=transport, base_url="http://here")


def service(name: str, *paths: str) -> Service:
    app = create_app(name)

    async def claim(request: Request) -> dict[str, str | None]:
        return {"claimed": request.headers.get("x-client-address")}

    async def length(request: Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    app.add_api_route(f"/api/{name}/claim", claim)
    app.add_api_route(f"/api/{name}/length", length, methods=["POST"])
    return Service(name=name, app=app, paths=paths)


BOOKING, PORTAL = service("booking", "/api/booking"), service("portal", "")


@pytest.mark.parametrize("path", ["/api/booking/metrics", "/api/booking/health/ready", "/api/booking/health/live"])
async def test_metrics_and_health_of_the_services_are_for_this_machine_where_the_portal_is(path: str) -> None:
    assert (await client_of(BOOKING, PORTAL).get(path)).status_code == 404
    by_proxy = client_of(BOOKING, PORTAL, peer=NEIGHBOUR)
    assert (await by_proxy.get(path, headers={"x-forwarded-for": "203.0.113.9"})).status_code == 404
    assert (await by_proxy.get(path)).status_code == 200
    assert (await client_of(BOOKING).get(path)).status_code == 200, "a service alone is reached by nobody else"


async def test_nobody_from_outside_is_believed_about_whom_they_ask_for() -> None:
    claim = {"x-client-address": "198.51.100.1"}
    outside, neighbour = client_of(BOOKING, PORTAL), client_of(BOOKING, PORTAL, peer=NEIGHBOUR)
    assert (await outside.get("/api/booking/claim", headers=claim)).json() == {"claimed": None}
    assert (await neighbour.get("/api/booking/claim", headers=claim)).json() == {"claimed": "198.51.100.1"}


async def test_a_body_without_a_length_has_an_end_too() -> None:
    async def pieces(size: int):  # noqa: ANN202 - an asynchronous generator
        for _ in range(size // 65536):
            yield b"x" * 65536

    client = client_of(BOOKING)
    assert (await client.post("/api/booking/length", content=pieces(131072))).json() == {"length": 131072}
    too_large = await client.post("/api/booking/length", content=pieces(LARGEST_BODY + 131072))
    assert too_large.status_code == 413


async def test_a_body_that_is_announced_as_too_large_is_refused_as_every_other_mistake_is() -> None:
    refused = await client_of(BOOKING).post("/api/booking/length", content=b"x" * (LARGEST_BODY + 1))
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:maillage:problem:too-large"


class Stumbling:
    """Ends in three ways that nobody expects, then waits."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_last = asyncio.Event()

    async def run(self) -> None:
        self.begun += 1
        if self.begun == 1:
            raise KeyError("surprise")
        if self.begun == 2:
            raise asyncio.CancelledError
        self.at_last.set()
        await asyncio.Event().wait()


async def test_a_loop_that_ends_by_surprise_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "RESTART_SECONDS", 0.01)
    loop = Stumbling()
    async with asyncio.timeout(5):
        async with running([Service(name="trial", app=FastAPI(), paths=(), loops=[loop])]):
            await loop.at_last.wait()
    assert loop.begun == 3


class Stubborn:
    """Goes on for a minute after it was told to end."""

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(60)


async def test_neither_a_stubborn_loop_nor_a_stuck_pool_holds_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 1.0)
    monkeypatch.setattr(process, "CLOSING_SECONDS", 0.2)

    async def stuck() -> None:
        await asyncio.sleep(60)

    one = Service(name="trial", app=FastAPI(), paths=(), loops=[Stubborn()], on_close=[stuck])
    async with running([one]):
        await asyncio.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 30, "a minute is what both of them would take"
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def test_the_parts_of_stopping_fit_into_the_whole() -> None:
    assert process.REQUEST_SECONDS + process.GRACE_SECONDS <= process.STOP_SECONDS <= 10
    for drain in (messaging.GRACEFUL_SECONDS, sending.LAST_WORD_SECONDS):
        assert drain + process.CLOSING_SECONDS < process.GRACE_SECONDS

"""The connections between the pages and the services."""

import asyncio
from pathlib import Path

from services.portal.client import Caller, Services
from services.portal.settings import PortalSettings

FOLLOWERS = 120


class Service:
    """Its live inbox never ends; everything else it answers at once."""

    def __init__(self) -> None:
        self.left = asyncio.Semaphore(0)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        kind = b"text/event-stream" if b"/live" in asked else b"application/json\r\ncontent-length: 2"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\n\r\n{}")
        await reader.read()  # until the other end goes
        writer.close()
        await writer.wait_closed()
        self.left.release()


async def test_people_who_follow_their_messages_leave_connections_for_the_pages() -> None:
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{{service}}"
    services = Services(PortalSettings(instance="lille", secrets_dir=Path(), service_url=url))
    async with server, asyncio.timeout(20):
        live = services.streams.build_request("GET", services.url("notify", "/live"))
        open_streams = await asyncio.gather(*(services.streams.send(live, stream=True) for _ in range(FOLLOWERS)))
        assert await services.ask("identity", "GET", "/cooperative", caller=Caller()) == {}
        for one in open_streams:
            await one.aclose()
        await services.close()
        for _ in range(FOLLOWERS + 1):
            await service.left.acquire()

"""One process: the services that it was asked to run, on one port, with their consumers, relays and timers."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.settings import MissingSetting, ServiceSettings

log = logs.get(__name__)

GRACE_SECONDS = 10
Task = Callable[[], Awaitable[None]]


class Runs(Protocol):
    """Something with a loop that ends by itself when it is cancelled: consumers, a relay."""

    async def run(self) -> None: ...


@dataclass(kw_only=True)
class Service:
    """A service, put together by its `app.py` and not yet running.

    `loops` are started with the process and cancelled at its end, the last one first. `paths` are the URL prefixes
    that belong to it ("" takes what nobody else does: the portal).
    """

    name: str
    app: FastAPI
    paths: tuple[str, ...]
    database: Database | None = None
    loops: list[Runs] = field(default_factory=list[Runs])
    on_close: list[Task] = field(default_factory=list[Task])


class Composite:
    """ASGI application that hands each request to the service that owns its path."""

    def __init__(self, services: list[Service]) -> None:
        pairs = [(path, service.app) for service in services for path in service.paths]
        self._apps: list[tuple[str, ASGIApp]] = sorted(pairs, key=lambda pair: -len(pair[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        for prefix, app in self._apps:
            if path == prefix or path.startswith(prefix + "/"):
                await app(scope, receive, send)
                return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"not found"})


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: we still have messages in hand when it has finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(services: list[Service], settings: ServiceSettings) -> None:
    """Run `services` until SIGTERM or SIGINT, then finish what is in hand within 10 seconds."""
    listener = _listen(settings)
    config = uvicorn.Config(
        Composite(services),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    async with running(services):
        log.info("listening", services=[service.name for service in services], port=listener.getsockname()[1])
        await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def running(services: list[Service]) -> AsyncGenerator[None]:
    """Run the loops of `services` (not their HTTP) while the block runs; then stop them and close their pools."""
    tasks = [asyncio.create_task(one.run(), name=f"{s.name}:{type(one).__name__}") for s in services for one in s.loops]
    for task in tasks:
        task.add_done_callback(_report_end)
    try:
        yield
    finally:
        for task in reversed(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for service in services:
            for close in service.on_close:
                await close()
            if service.database is not None:
                await service.database.close()


def _report_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("loop-ended", loop=task.get_name(), error=repr(error), exc_info=error)


def _listen(settings: ServiceSettings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), reuse_port=False, backlog=256)
    except OSError as error:
        raise MissingSetting(
            f"MAILLAGE_PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror})"
        ) from error


def run(build: Callable[[], list[Service]], settings: ServiceSettings) -> None:
    """Build and serve; the whole of a process."""
    logs.configure(settings.log_level)

    async def main() -> None:
        await serve(build(), settings)

    asyncio.run(main())

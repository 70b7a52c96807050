"""One process: the services that it was asked to run, on one port, with their consumers, relays and timers."""

import asyncio
import contextlib
import gc
import ipaddress
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.protection import API_HEADERS
from services.chassis.settings import MissingSetting, ServiceSettings

log = logs.get(__name__)

STOP_SECONDS = 10
"""The longest from a signal to the end of the process: requests, then loops and pools."""
REQUEST_SECONDS = 3
LEAVING_SECONDS = 1.0
"""What the interpreter needs in the end, on a machine that is busy, too."""
GRACE_SECONDS = STOP_SECONDS - REQUEST_SECONDS - LEAVING_SECONDS
"""What loops have to finish what is in hand, the end of which is kept for closing pools."""
CLOSING_SECONDS = 0.75
RESTART_SECONDS = 1.0
CLIENT_ADDRESS = b"x-client-address"
_FORWARDED = {b"forwarded", b"x-forwarded-for"}
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
    """ASGI application that hands each request to the service that owns its path.

    With the portal in it, it is what the world reaches. Then, as at the portal's gateway, metrics and health of the
    services are for this machine alone, and nobody else is believed about whom they ask for.
    """

    def __init__(self, services: list[Service]) -> None:
        pairs = [(path, service.app) for service in services for path in service.paths]
        self._apps: list[tuple[str, ASGIApp]] = sorted(pairs, key=lambda pair: -len(pair[0]))
        is_public = any(path == "" for path, _ in pairs)
        self._inside = [f"/api/{service.name}" for service in services if is_public and "" not in service.paths]
        self._is_public = is_public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if self._is_public and not _is_from_this_machine(scope):
            if self._is_internal(path):
                await _not_found(send)
                return
            scope = {**scope, "headers": [pair for pair in scope.get("headers", ()) if pair[0] != CLIENT_ADDRESS]}
        for prefix, app in self._apps:
            if path == prefix or path.startswith(prefix + "/"):
                await app(scope, receive, send)
                return
        await _not_found(send)

    def _is_internal(self, path: str) -> bool:
        return any(path == f"{base}/metrics" or path.startswith(f"{base}/health/") for base in self._inside)


async def _not_found(send: Send) -> None:
    headers = {"content-type": "text/plain; charset=utf-8", **API_HEADERS}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 404, "headers": raw})
    await send({"type": "http.response.body", "body": b"not found"})


def _is_from_this_machine(scope: Scope) -> bool:
    """Whether the other end is on loopback and speaks for itself: a proxy says for whom it asks."""
    if any(name in _FORWARDED for name, _ in scope.get("headers", ())):
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: we still have messages in hand when it has finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(services: list[Service], settings: ServiceSettings) -> None:
    """Run `services` until SIGTERM or SIGINT, then finish what is in hand: STOP_SECONDS at most."""
    listener = _listen(settings)
    config = uvicorn.Config(
        Composite(services),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=REQUEST_SECONDS,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    async with running(services):
        spare_what_stays()
        log.info("listening", services=[service.name for service in services], port=listener.getsockname()[1])
        await server.serve(sockets=[listener])


def spare_what_stays() -> None:
    """Look for garbage among what requests leave, no longer through all that was built for good: pauses get shorter."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


@contextlib.asynccontextmanager
async def running(services: list[Service]) -> AsyncGenerator[None]:
    """Run the loops of `services` (not their HTTP) while the block runs; then stop them and close their pools."""
    tasks = [asyncio.create_task(_keep_running(service.name, one)) for service in services for one in service.loops]
    try:
        yield
    finally:
        await _end(tasks)
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await _close(services)
        except TimeoutError:
            log.warning("not-closed-in-time", seconds=CLOSING_SECONDS)
            for service in services:
                if service.database is not None:
                    service.database.abandon()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Let the loops finish what is in hand; those that take too long are cancelled once more."""
    pending = set(tasks)
    # half a second is uvicorn's own turn-around and that of the second cancellation
    for seconds in (GRACE_SECONDS - CLOSING_SECONDS - 0.5, 0.2):
        for task in reversed(tasks):
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=seconds)
    if pending:
        log.warning("loops-not-ended", count=len(pending))


async def _close(services: list[Service]) -> None:
    for service in services:
        for close in service.on_close:
            await close()
        if service.database is not None:
            await service.database.close()


async def _keep_running(service: str, loop: Runs) -> None:
    """Begin again whenever the loop ends with an error that it did not expect: no service runs on without it."""
    while True:
        try:
            await loop.run()
        except asyncio.CancelledError as error:
            # a library may let its own cancellation out; only ours, which is counted, ends the loop
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            _report_end(service, loop, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            _report_end(service, loop, error)
        else:
            return
        await asyncio.sleep(RESTART_SECONDS)


def _report_end(service: str, loop: Runs, error: BaseException) -> None:
    log.error("loop-ended", service=service, loop=type(loop).__name__, error=repr(error), exc_info=error)


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

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    log.info("ended")

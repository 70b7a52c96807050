"""One PostgreSQL and one RabbitMQ for a whole test session, shared by all its worker processes.

`MAILLAGE_TEST_SERVERS` chooses: `containers`, `local` (what `make demo` uses), or `auto`, the default: containers where
a Docker engine answers and already holds both images, else local.

pytest's main process owns the servers.  They start at the first wish for them and end with the session, also when it
fails.  Workers reach the main process through a socket in a private folder.  Tests that kill a server take a throw-away
`LocalRabbit()` or `LocalPostgres()` from `deploy.local` instead.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Literal, Protocol, cast

import pytest

from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests import servers_in_containers

Mode = Literal["containers", "local"]

_CHOICE = "MAILLAGE_TEST_SERVERS"
_ADDRESS = "MAILLAGE_TEST_SERVERS_ADDRESS"


class NoServers(RuntimeError):
    """The servers were asked for outside a session, or could not start; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """How to reach both servers, as their administrators."""

    mode: Mode
    postgres_host: str
    postgres_port: int
    admin_user: str
    admin_password: str
    amqp_host: str
    amqp_port: int
    management_url: str
    broker_admin_user: str
    broker_admin_password: str
    seconds_to_start: float = 0.0

    def on(self, rabbit: LocalRabbit) -> "Servers":
        """The same PostgreSQL, with this broker."""
        return replace(
            self,
            amqp_host=rabbit.host,
            amqp_port=rabbit.amqp_port,
            management_url=rabbit.management_url,
            broker_admin_user=rabbit.admin_user,
            broker_admin_password=rabbit.admin_password,
        )

    def restart_broker(self) -> None:
        """Stop and start RabbitMQ on the same data and ports; comes back when it answers.

        Every test that runs at the same time loses its connections: beside parallel tests, restart a `LocalRabbit()`.
        """
        _ask("restart broker")


class _Pair(Protocol):
    """Two running servers, wherever they run."""

    def describe(self) -> Servers: ...
    def restart_broker(self) -> None: ...
    def stop(self) -> None: ...


class _LocalPair:
    def __init__(self) -> None:
        self._postgres, self._rabbit = LocalPostgres(), LocalRabbit()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            with ThreadPoolExecutor(2) as pool:
                for started in [pool.submit(self._postgres.start), pool.submit(self._rabbit.start)]:
                    started.result()
            undo.pop_all()

    def describe(self) -> Servers:
        return Servers(
            mode="local",
            postgres_host=self._postgres.host,
            postgres_port=self._postgres.port,
            admin_user=self._postgres.admin_user,
            admin_password=self._postgres.admin_password,
            amqp_host=self._rabbit.host,
            amqp_port=self._rabbit.amqp_port,
            management_url=self._rabbit.management_url,
            broker_admin_user=self._rabbit.admin_user,
            broker_admin_password=self._rabbit.admin_password,
        )

    def restart_broker(self) -> None:
        self._rabbit.restart()

    def stop(self) -> None:
        self._rabbit.stop()
        self._postgres.stop()


class _ContainerPair:
    def __init__(self) -> None:
        servers_in_containers.remove_orphans()
        with contextlib.ExitStack() as undo:
            self._postgres = servers_in_containers.ContainerPostgres()
            undo.callback(self._postgres.stop)
            self._rabbit = servers_in_containers.ContainerRabbit()
            undo.callback(self._rabbit.stop)
            with ThreadPoolExecutor(2) as pool:
                for started in [pool.submit(self._postgres.start), pool.submit(self._rabbit.start)]:
                    started.result()
            self._stop = undo.pop_all().close

    def describe(self) -> Servers:
        return Servers(
            mode="containers",
            postgres_host=self._postgres.host,
            postgres_port=self._postgres.port,
            admin_user=self._postgres.admin_user,
            admin_password=self._postgres.admin_password,
            amqp_host=self._rabbit.host,
            amqp_port=self._rabbit.amqp_port,
            management_url=self._rabbit.management_url,
            broker_admin_user=self._rabbit.admin_user,
            broker_admin_password=self._rabbit.admin_password,
        )

    def restart_broker(self) -> None:
        self._rabbit.restart()

    def stop(self) -> None:
        self._stop()


class _Session:
    """Answers the workers' questions in a thread; starts the servers when the first one asks."""

    def __init__(self, mode: Mode) -> None:
        self._mode: Mode = mode
        self._starting: Future[tuple[_Pair, Servers]] | None = None
        self._lock = threading.Lock()
        self._starter = ThreadPoolExecutor(1)
        self._folder = Path(tempfile.mkdtemp(prefix="maillage-tests-"))
        self._listener = Listener(str(self._folder / "socket"), family="AF_UNIX")
        os.environ[_ADDRESS] = str(self._folder / "socket")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection = cast("Connection", self._listener.accept())
            question = cast("str", connection.recv())
            if question == "close":
                connection.close()
                return
            threading.Thread(target=self._answer, args=(connection, question), daemon=True).start()

    def _answer(self, connection: Connection, question: str) -> None:
        with connection, contextlib.suppress(BrokenPipeError):
            try:
                connection.send(self._do(question))
            except Exception as error:  # noqa: BLE001 - the test that asked is told, whatever went wrong
                connection.send(NoServers(f"{question}: {error}"))

    def _do(self, question: str) -> Servers | None:
        with self._lock:
            self._starting = self._starting or self._starter.submit(self._start)
        if question == "prepare":
            return None
        pair, servers = self._starting.result()
        if question == "restart broker":
            pair.restart_broker()
        return servers

    def _start(self) -> tuple[_Pair, Servers]:
        began = time.monotonic()
        pair: _Pair = _LocalPair() if self._mode == "local" else _ContainerPair()
        return pair, replace(pair.describe(), seconds_to_start=time.monotonic() - began)

    def close(self) -> None:
        os.environ.pop(_ADDRESS, None)
        with Client(str(self._folder / "socket"), family="AF_UNIX") as connection:
            connection.send("close")
        self._thread.join()
        self._listener.close()
        self._starter.shutdown()
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result()[0].stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _ask(question: str) -> Servers | None:
    address = os.environ.get(_ADDRESS)
    if address is None:
        raise NoServers("the servers exist only inside a test session or `with tests.servers.running()`")
    with Client(address, family="AF_UNIX") as connection:
        connection.send(question)
        answer = cast("Servers | NoServers | None", connection.recv())
    if isinstance(answer, NoServers):
        raise answer
    return answer


def get() -> Servers:
    """The session's servers, started if nobody asked before.  Raises NoServers."""
    servers = _ask("servers")
    if servers is None:
        raise NoServers("the session gave no answer")
    return servers


def chosen_mode() -> Mode:
    """What `MAILLAGE_TEST_SERVERS` and this machine come to."""
    match os.environ.get(_CHOICE, "auto"):
        case "containers":
            return "containers"
        case "local":
            return "local"
        case "auto":
            return "containers" if servers_in_containers.available() else "local"
        case other:
            raise pytest.UsageError(f"{_CHOICE} is {other!r}; it takes auto, containers or local")


@contextlib.contextmanager
def running() -> Generator[Servers]:
    """The servers for a program that is not pytest, e.g. a benchmark."""
    session = _Session(chosen_mode())
    try:
        yield get()
    finally:
        session.close()


_session = pytest.StashKey[_Session]()
_mode = pytest.StashKey[Mode]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[_mode] = chosen_mode()
        config.stash[_session] = _Session(config.stash[_mode])


def pytest_unconfigure(config: pytest.Config) -> None:
    if (session := config.stash.get(_session, None)) is not None:
        session.close()


def pytest_report_header(config: pytest.Config) -> str:
    return f"servers: {config.stash.get(_mode, 'none')} ({_CHOICE}={os.environ.get(_CHOICE, 'auto')})"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the servers start while the tests that need none are running."""
    if os.environ.get(_ADDRESS) and any("servers" in getattr(item, "fixturenames", ()) for item in session.items):
        _ask("prepare")


@pytest.fixture(scope="session")
def servers() -> Servers:
    """PostgreSQL and RabbitMQ of this session."""
    return get()

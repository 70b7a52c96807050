"""`python -m services broker-agent`: the one process that administers the broker, by a user of its own.

It faces nobody: it reads orders (create, pause, hold, remove a link; tell its status) from one table of the
federation's database, does them on this instance's part of the broker, and writes the outcome back. asyncpg and httpx
only.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg

from services.chassis import names
from services.chassis.management import BrokerRefused, Management
from services.chassis.outgoing import AddressRefused, resolve
from services.federation.addresses import PeerQueue, Trust, amqp_uri
from services.federation.broker_rooms import Rooms

MEASURE_SECONDS = 10.0
REAPPLY_SECONDS = 60.0
RETRY_SECONDS = 2.0
STANDS_SECONDS, STANDS_AT_MOST_SECONDS = 30.0, 600.0
"""A shovel that has not run for so long is made anew, then after twice as long: a broker may have one on its list that
it never starts, or starts no more (rabbitmq-server issue 9114)."""

_TRUE = {"1", "true", "t", "yes", "y", "on"}
_log = logging.getLogger("broker-agent")

_DUE = "SELECT * FROM broker_orders WHERE done_generation < generation ORDER BY link_id"
_IN_FORCE = "SELECT * FROM broker_orders WHERE command <> 'remove' ORDER BY link_id"
_DONE = """
UPDATE broker_orders SET done_generation = $2, error = $3, done_at = now()
 WHERE link_id = $1 AND generation = $2 AND (done_generation, error) IS DISTINCT FROM ($2, $3)
"""
_FAILED = """
UPDATE broker_orders SET error = $3, done_at = now()
 WHERE link_id = $1 AND generation = $2 AND error IS DISTINCT FROM $3
"""
_MEASURED = """
UPDATE broker_orders SET waiting = $2, shovel = $3, shovel_reason = $4, waiting_octets = $5, measured_at = now(),
       status_asked_at = NULL
 WHERE link_id = $1
"""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the agent needs, from the environment; the same names as everywhere (read here, to stay small)."""

    instance: str
    database_url: str
    management_url: str
    trust: Trust
    allow_private: bool
    external: bool = False
    """Peers have no password at our broker: only a certificate lets them in."""

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises SystemExit with one clear line."""
        try:
            instance = names.check_instance(os.environ["MAILLAGE_INSTANCE"])
            secrets_dir = Path(os.environ["MAILLAGE_SECRETS_DIR"])
            return cls(
                instance=instance,
                database_url=_database_url(instance, _secret(secrets_dir, "db_broker_agent")),
                management_url=management_url(
                    instance,
                    os.environ.get("MAILLAGE_BROKER_MANAGEMENT_URL") or f"http://{_broker_host()}:15672",
                    password=_secret(secrets_dir, "broker_broker_agent"),
                ),
                trust=_trust(),
                allow_private=_is_on("MAILLAGE_FEDERATION_ALLOW_PRIVATE"),
                external=_is_on("MAILLAGE_BORDER_EXTERNAL"),
            )
        except (KeyError, ValueError, OSError) as error:
            raise SystemExit(f"broker-agent: {error} is missing or wrong") from error


def _trust() -> Trust:
    links = os.environ.get("MAILLAGE_BORDER_LINKS")
    return Trust(
        ca_file=os.environ.get("MAILLAGE_BORDER_CA") or "/etc/ssl/certs/ca-certificates.crt",
        certificate=os.environ.get("MAILLAGE_BORDER_CERTIFICATE"),
        key=os.environ.get("MAILLAGE_BORDER_KEY"),
        links=Path(links) if links else None,
    )


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in _TRUE


def _secret(directory: Path, name: str) -> str:
    return (directory / name).read_text(encoding="utf-8").strip()


def _broker_host() -> str:
    return os.environ.get("MAILLAGE_BROKER_HOST") or "127.0.0.1"


def management_url(instance: str, address: str, *, password: str) -> str:
    """The management API at `address` (http(s)://host:port) for the agent's own broker user."""
    scheme, _, place = address.partition("://")
    user = names.broker_user(instance, names.BROKER_AGENT)
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{place}"


def _database_url(instance: str, password: str) -> str:
    host, port = os.environ.get("MAILLAGE_DB_HOST", "127.0.0.1"), os.environ.get("MAILLAGE_DB_PORT", "5432")
    role = names.database(instance, names.BROKER_AGENT)
    return f"postgresql://{role}:{quote(password, safe='')}@{host}:{port}/{names.database(instance, 'federation')}"


@dataclass
class _Standing:
    """A shovel that does not run: when to make it anew, and the pause after that (seconds of the loop's clock)."""

    until: float
    pause: float


class BrokerAgent:
    """Does orders until cancelled. After any absence of broker or database it goes on by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._management = Management(settings.management_url, seconds=10)
        self._heard = asyncio.Event()
        self._standing: dict[UUID, _Standing] = {}

    async def run(self) -> None:
        try:
            while True:
                try:
                    await self._work_until_lost()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                    _log.warning("database away: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            await self._management.close()

    async def _work_until_lost(self) -> None:
        db = await asyncpg.connect(
            self._settings.database_url,
            timeout=5,
            command_timeout=10,
            server_settings={"application_name": "broker-agent"},
        )
        try:
            await db.add_listener("broker_orders", self._hear)
            loop = asyncio.get_running_loop()
            reapply_at = loop.time()  # at the start, and after each absence of the database
            while True:
                everything = loop.time() >= reapply_at
                failed = await self._obey(db, everything=everything)
                if everything:
                    reapply_at = loop.time() + REAPPLY_SECONDS
                await self._measure(db)
                await self._wait(RETRY_SECONDS if failed else MEASURE_SECONDS)
        finally:
            db.terminate()

    def _hear(self, *_said: object) -> None:
        self._heard.set()

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def _obey(self, db: Any, *, everything: bool) -> bool:
        """Do what is due, and (`everything`) again what should be there. Returns whether something failed."""
        orders = {order["link_id"]: order for order in await db.fetch(_DUE)}
        if everything:
            orders = {order["link_id"]: order for order in await db.fetch(_IN_FORCE)} | orders
        failed = False
        for order in orders.values():
            fate = (order["link_id"], order["generation"])
            try:
                await self._do(order)
            except (BrokerRefused, AddressRefused) as error:
                failed = True
                _log.warning("%s of link %s failed: %s", order["command"], order["link_id"], error)
                await db.execute(_FAILED, *fate, str(error))
            else:
                await db.execute(_DONE, *fate, None)
        if orders:
            await db.execute("SELECT pg_notify('links', '')")
        return failed

    async def _do(self, order: Any) -> None:
        rooms = Rooms(self._management, self._settings.instance, order["link_id"])
        if order["command"] == "remove":
            await rooms.remove()
            return
        await rooms.create(inbound_password=order["inbound_password"])
        if not order["done_generation"]:
            await rooms.prove()
        if order["command"] == "pause":
            await rooms.pause()
            return
        await rooms.admit(None if self._settings.external else order["peer_password"])
        if order["command"] == "hold":
            await rooms.hold()
        else:
            await self._pull(rooms, order)

    async def _pull(self, rooms: Rooms, order: Any, *, anew: bool = False) -> None:
        access = PeerQueue(**json.loads(order["access"])).check()
        await resolve(access.host, access.port, allow_private=self._settings.allow_private)
        trust, external = self._settings.trust.for_link(order["link_id"])
        uri = amqp_uri(access, trust=trust, allow_plain=self._settings.allow_private, external=external)
        if anew:  # the broker takes no notice of one that is told it again without a change
            await rooms.hold()
        await rooms.pull(
            source_uri=uri,
            source_queue=access.queue,
            inbound_password=order["inbound_password"],
            again=order["done_generation"] < order["generation"],
        )

    async def _measure(self, db: Any) -> None:
        orders = await db.fetch(_IN_FORCE)
        for gone in self._standing.keys() - {order["link_id"] for order in orders}:
            del self._standing[gone]
        for order in orders:
            rooms = Rooms(self._management, self._settings.instance, order["link_id"])
            try:
                found = await rooms.measure()
                await self._keep_running(rooms, order, found.shovel)
            except BrokerRefused as error:
                _log.warning("status of link %s: %s", order["link_id"], error)
                return
            await db.execute(_MEASURED, order["link_id"], found.waiting, found.shovel, found.reason, found.octets)

    async def _keep_running(self, rooms: Rooms, order: Any, shovel: str | None) -> None:
        """Make a shovel anew that does not run although it should. Raises BrokerRefused."""
        link_id, now = order["link_id"], asyncio.get_running_loop().time()
        if order["command"] != "create" or shovel == "running":
            self._standing.pop(link_id, None)
            return
        standing = self._standing.setdefault(link_id, _Standing(now + STANDS_SECONDS, STANDS_SECONDS))
        if now < standing.until:
            return
        standing.pause = min(standing.pause * 2, STANDS_AT_MOST_SECONDS)
        standing.until = now + standing.pause
        _log.warning("the shovel of link %s does not run (%s): it is made anew", link_id, shovel)
        try:
            await self._pull(rooms, order, anew=True)
        except AddressRefused as error:
            _log.warning("the shovel of link %s: %s", link_id, error)


def main(_arguments: list[str]) -> None:
    """Command line: run until SIGTERM or SIGINT."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format='{"logger": "%(name)s", "event": "%(message)s"}')
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(_run(BrokerAgent(Settings.from_environment())))


async def _run(agent: BrokerAgent) -> None:
    task = asyncio.create_task(agent.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main(sys.argv[1:])

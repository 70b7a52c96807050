"""One cooperative with two processes of booking, on fresh servers; offers and resources written as rows."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx

from deploy.demo.api import wait_for
from deploy.local.folders import Account
from deploy.local.instance import LocalInstance
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import Daemon
from deploy.local.rabbitmq import LocalRabbit
from services.chassis.ids import new_id
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import ALWAYS_OPEN, Coop, Person
from tests.instances import addresses, cooperatives
from tests.servers import Servers

RESOURCES = 2000
BASE = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


@dataclass(frozen=True)
class Stage:
    """`replicas`: one cooperative, booking twice. `offers`: resources that can be booked at any time of day."""

    replicas: Sequence[Coop]
    postgres: LocalPostgres
    offers: Sequence[UUID]
    member_id: UUID

    @property
    def person(self) -> Person:
        """The one who books, with a new token: each is good for five minutes."""
        return self.coop.person(name="Ana", member_id=self.member_id)

    @property
    def coop(self) -> Coop:
        return self.replicas[0]

    def booked(self) -> int:
        return self.coop.value("booking", "SELECT count(*) FROM bookings WHERE note <> 'past'")


@contextmanager
def running() -> Generator[Stage]:
    """The stage, for as long as the block runs."""
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        servers = servers_of(postgres, rabbit)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-bench-")))
        make = stack.enter_context(cooperatives(servers, place))
        quiet = {"MAILLAGE_LOG_LEVEL": "warning", "MAILLAGE_DB_POOL_SIZE": "8", "MAILLAGE_DB_MAX_OVERFLOW": "8"}
        local = make("lille", where=addresses(servers), **quiet)
        first = stack.enter_context(_running(local, servers, "identity", "booking"))
        second = stack.enter_context(_running(_beside(local), servers, "booking"))
        offers = _fill(first)
        yield Stage([first, second], postgres, offers, new_id())


def _beside(local: LocalInstance) -> LocalInstance:
    """The same instance on another port: same databases, same secrets, and identity at the first."""
    folder = local.folder.with_name(f"{local.folder.name}-beside")
    folder.mkdir()
    (folder / "secrets").symlink_to(local.secrets_dir)
    settings = {**local.settings, "MAILLAGE_SERVICE_URL": f"{local.url}/api/{{service}}"}
    return replace(local, folder=folder, port=0, settings=settings)


@contextmanager
def _running(local: LocalInstance, servers: Servers, *services: str) -> Generator[Coop]:
    coop = Coop(local, servers, services)
    coop.start()
    try:
        wait_for("booking to be ready", lambda: _is_ready(coop), seconds=60)
        yield coop
    finally:
        coop.close()


def _is_ready(coop: Coop) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return coop.http.get(coop.local.ready_url("booking")).is_success
    return False


def _fill(coop: Coop) -> Sequence[UUID]:
    """Offers and resources written as rows: they are not what is measured."""
    owner = new_id()
    ids = [new_id() for _ in range(RESOURCES)]
    rules = ALWAYS_OPEN | {"terms": {}, "capacity": 1}
    hours = json.dumps(rules["opening_hours"])
    sql = coop.sql("booking")
    sql.execute("CREATE TABLE bench_offers (number integer PRIMARY KEY, offer_id uuid NOT NULL)")
    for number, offer_id in enumerate(ids):
        sql.execute(_OFFER, offer_id, f"Machine {number}", owner)
        sql.execute(_RESOURCE, offer_id, hours)
        sql.execute("INSERT INTO bench_offers VALUES ($1, $2)", number, offer_id)
    return ids


_OFFER = """
INSERT INTO offers (origin, id, epoch, version, published, title, kind, category, owner_member_id, owner_name, scope,
                    circle_ids, peer_ids)
VALUES ('', $1, 0, 1, true, $2, 'machine', 'Atelier', $3, 'Omar', 'cooperative', '{}', '{}')
"""
_RESOURCE = """
INSERT INTO resources (offer_id, time_zone, opening_hours, step_minutes, minimum_minutes, maximum_minutes, lead_minutes,
                       horizon_days, buffer_before_minutes, buffer_after_minutes, capacity, approval, status, version,
                       busy_version, changed_at)
VALUES ($1, 'Europe/Brussels', $2::jsonb, 15, 15, 480, 0, 700, 0, 0, 1, 'automatic', 'open', 1, 0, now())
"""


@contextmanager
def plain(stage: Stage) -> Generator[Sequence[str]]:
    """The addresses of two processes with the handler without rules, on the same database."""
    daemons: list[Daemon] = []
    try:
        urls: list[str] = []
        for coop in stage.replicas:
            local = replace(coop.local, port=0)
            daemons.append(
                Daemon(
                    command=[sys.executable, "-m", "tests.bench.booking.plain"],
                    account=Account(os.geteuid(), os.getegid()),
                    folder=local.folder,
                    name="plain",
                    environment=local.environment()
                    | {"MAILLAGE_SERVICE_URL": f"{stage.coop.local.url}/api/{{service}}"},
                )
            )
            daemons[-1].start()
            urls.append(local.url)
        for url in urls:
            wait_for("the plain handler", lambda url=url: _answers(f"{url}/api/booking/health/live"), seconds=30)
        yield urls
    finally:
        for daemon in daemons:
            daemon.kill()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url).is_success
    return False

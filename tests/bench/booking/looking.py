"""Availability while many bookings, most of them over, are in the table."""

import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local import packages
from deploy.local.packages import WRK
from tests.bench.booking.stage import Stage

CLIENTS = 8
RESOURCES = 200
TO_COME = 50
"""Bookings of each resource within the next month; the others are over."""

_FILL = """
INSERT INTO bookings (id, offer_id, offer_title, borrower_member_id, starts_at, ends_at, occupied, exclusive, time_zone,
                      quantity, note, status, remote_version, version, created_at, changed_at)
SELECT gen_random_uuid(), b.offer_id, 'x', gen_random_uuid(), t, t + interval '2 hours',
       tstzrange(t, t + interval '2 hours'), true, 'UTC', 1, 'past',
       CASE WHEN t < now() THEN 'completed' ELSE 'confirmed' END, 0, 1, now(), now()
FROM bench_offers b, generate_series($1::int, $2::int) n,
     LATERAL (SELECT $3::timestamptz + ($4::int - n) * interval '14 hours' AS t) s
WHERE b.number < $5
"""
_LUA = """
local offers = {%(offers)s}
math.randomseed(%(seed)d)
function request() %(request)s end
local headers = {["Authorization"] = "Bearer %(token)s"}
function get(path) return wrk.format("GET", path, headers) end
function one() return offers[math.random(#offers)] end
function done(summary, latency, requests)
  io.write(string.format("p95 %%f requests %%d wrong %%d\\n", latency:percentile(95) / 1000, summary.requests,
    summary.errors.status))
end
"""
_WEEK = """
  local path = "/api/booking/availability?days=7"
  local first = math.random(#offers)
  for i = 0, 49 do path = path .. "&offer=" .. offers[(first + i * 37) % #offers + 1] end
  return get(path)
"""
_MONTH = """return get("/api/booking/resources/" .. one() .. "/availability?days=31")"""


def report(stage: Stage, *, sizes: Sequence[int], seconds: int) -> None:
    """Print the 95th percentile of both requests with each of `sizes` bookings in the table."""
    if not sizes:
        return
    print(f"{'bookings in the table':24}{'week of 50 resources, p95':>28}{'month of one, p95':>22}   {CLIENTS} clients")
    sql = stage.coop.sql("booking")
    sql.execute("DELETE FROM bookings")
    sql.execute("SET session_replication_role = replica")  # rows that are not what is measured: without the triggers
    there = 0
    for size in sizes:
        each = size // RESOURCES
        middle = datetime.now(UTC) + timedelta(hours=1)
        sql.execute(_FILL, there + 1, each, middle, TO_COME, RESOURCES)
        sql.execute("VACUUM ANALYZE")
        there = each
        week, month = (_p95(stage, request, seconds) for request in (_WEEK, _MONTH))
        print(f"{size:<24}{week:25.1f} ms{month:19.1f} ms", flush=True)


def _p95(stage: Stage, request: str, seconds: int) -> float:
    """In ms: the slower of the two replicas."""
    wrk = packages.ensure(WRK)
    with tempfile.TemporaryDirectory() as folder:
        loads: list[subprocess.Popen[str]] = []
        for number, coop in enumerate(stage.replicas):
            script = Path(folder) / f"look{number}.lua"
            offers = ",".join(f'"{offer_id}"' for offer_id in stage.offers[:RESOURCES])
            values = {"offers": offers, "seed": number + 1, "token": stage.person.token, "request": request}
            script.write_text(_LUA % values, encoding="utf-8")
            load = ["-t1", f"-c{CLIENTS // len(stage.replicas)}", f"-d{seconds}s", "-s", str(script), coop.local.url]
            loads.append(subprocess.Popen([str(wrk), *load], stdout=subprocess.PIPE, text=True))
        return max(_read(load.communicate()[0]) for load in loads)


def _read(printed: str) -> float:
    line = next(line for line in printed.splitlines() if line.startswith("p95 "))
    _, p95, _, requests, _, wrong = line.split()
    if int(wrong) or not int(requests):
        raise RuntimeError(line)
    return float(p95)

"""`python -m tests.bench.throughput`: what outbox, relay, broker, inbox and one effect carry, beside aio-pika alone.

The outbox is filled before; relay and consumer are processes of their own and share nothing but the servers. The
yardstick (`raw_amqp`) runs before and after on the same broker, the same kind of queue and the same bytes. Both servers
sync to disk, as by default. Prints figures and never judges them.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asyncpg
import sqlalchemy as sa
import uvloop
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services.chassis import logs, names, outbox, tracing
from services.chassis.database import Database
from services.chassis.messaging import Consumers, consuming
from services.chassis.process import Runs, spare_what_stays
from services.chassis.relay import Row, event_message, outbox_relay
from services.chassis.settings import ServiceSettings, load
from tests.bench import raw_amqp
from tests.bench.processor import cost_of
from tests.bench.stage import folder_of, servers_of
from tests.servers import Servers
from tests.services.chassis.trial import EFFECTS, Probed, Trial, make_trial

CHANNEL = "effects"
PATIENCE_SECONDS = 600.0
SIZE = 500
"""Characters of what an event says: with its envelope about a kilobyte, as a listing has."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Events a second, and milliseconds of an idle system from commit to effect."""

    raw: Sequence[float]
    through: float
    idle: Sequence[float]
    costs: Sequence[str]

    def lines(self) -> list[str]:
        ratio = self.through / statistics.mean(self.raw)
        before, after = self.raw
        median, longest = statistics.median(self.idle), max(self.idle)
        return [
            f"{'aio-pika alone: publish with confirms, consume':62}{before:7.0f}/s before, {after:.0f}/s after",
            f"{'outbox, relay, broker, inbox and effect in two processes':62}{self.through:7.0f}/s, ratio {ratio:.2f}",
            f"{'commit to effect in another service, idle':62}{median:7.1f} ms median, {longest:.1f} ms longest",
            *self.costs,
        ]


async def measure(servers: Servers, roots: dict[str, int], *, count: int, changes: int) -> Figures:
    """`count`: events in the filled outbox; `changes`: events said one by one on the idle system.

    `roots`: process ids of the servers by name.
    """
    alone = count // 5
    with tempfile.TemporaryDirectory() as folder:
        async with make_trial(servers, Path(folder) / "secrets") as trial:
            await _raw(trial, count // 20)  # warm
            with cost_of(roots | {"aio-pika": os.getpid()}) as cost_of_raw:
                before = await _raw(trial, alone)
            await fill(trial, count)
            with _process(trial, "consume") as consumer, _process(trial, "relay") as relay:
                with cost_of(roots | {"relay": relay.pid, "consumer": consumer.pid}) as cost:
                    through = await _carried(trial, relay, count)
                idle = await _idle(trial, changes)
            after = await _raw(trial, alone)
    costs = [f"aio-pika alone: {cost_of_raw.per(alone)}", f"in two processes: {cost.per(count)}"]
    return Figures(raw=(before, after), through=through, idle=idle, costs=costs)


async def _raw(trial: Trial, count: int) -> float:
    (row,) = _rows(1)
    message = event_message(f"{trial.settings.instance}/booking")(cast("Row", row))
    return await raw_amqp.rate(
        publish_url=trial.settings.broker_url("booking"),
        consume_url=trial.settings.broker_url("notify"),
        key=Probed.type,
        queue=names.queue("notify", Probed.type),
        body=message.body,
        headers=message.headers,
        count=count,
    )


def _rows(count: int) -> list[dict[str, Any]]:
    """What a service would have written into its outbox."""
    tracing.begin(None)
    return [outbox.row_of(Probed(what=f"{number:08}{'x' * SIZE}")) for number in range(count)]


async def fill(trial: Trial, count: int) -> None:
    """Write `count` events into the outbox of `booking`, in one transaction."""
    rows = _rows(count)
    columns = list(rows[0])
    async with _connection(trial, "booking") as connection:
        await connection.copy_records_to_table(
            "outbox", columns=columns, records=[tuple(row[name] for name in columns) for row in rows]
        )
        await connection.execute("ANALYZE outbox")


async def _carried(trial: Trial, relay: "subprocess.Popen[str]", count: int) -> float:
    """Events a second, from the relay's first look into its outbox to the last committed effect."""
    began = time.perf_counter()
    _say(relay, "go")
    async with _connection(trial, "notify") as connection:
        while (done := await connection.fetchval("SELECT count(*) FROM effects") or 0) < count:
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise TimeoutError(f"{done} of {count} effects")
            await asyncio.sleep(0.2)
    return count / (time.perf_counter() - began)


async def _idle(trial: Trial, changes: int) -> list[float]:
    """Milliseconds from commit to the commit of the effect, which PostgreSQL tells by NOTIFY."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    owner = Database(trial.settings.owner_database_url("notify"))
    async with owner.engine.begin() as session:
        for statement in _TELL:
            await session.execute(sa.text(statement))
    await owner.close()
    found: list[float] = []

    def hear(*_said: object) -> None:
        heard.put_nowait(time.perf_counter())

    async with _connection(trial, "notify") as connection:
        await connection.add_listener(CHANNEL, hear)
        for number in range(changes):
            await trial.say(f"idle {number}")
            committed = time.perf_counter()
            found.append((await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) - committed) * 1000)
            await asyncio.sleep(0.05)
    return found


_TELL = (
    f"""
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL; END $$
    """,
    "CREATE TRIGGER tell AFTER INSERT ON effects FOR EACH ROW EXECUTE FUNCTION tell()",
)


@asynccontextmanager
async def _connection(trial: Trial, service: str) -> AsyncGenerator[asyncpg.Connection]:
    url = trial.settings.database_url(service).set(drivername="postgresql")
    connection: asyncpg.Connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def _process(trial: Trial, part: str) -> Generator["subprocess.Popen[str]"]:
    """`python -m tests.bench.throughput <part>`, ready to begin when it is yielded; ended with the block."""
    settings = {
        f"MAILLAGE_{name.upper()}": str(value) for name, value in trial.settings.model_dump(include=_WHERE).items()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.throughput", part],
        env=os.environ | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the process of {part} ended")
        if part == "consume":
            _say(process, "go")
        yield process
    finally:
        process.terminate()
        process.wait()


_WHERE = {"instance", "secrets_dir", "db_host", "db_port", "broker_host", "broker_port"}


def _say(process: "subprocess.Popen[str]", word: str) -> None:
    if process.stdin is not None:
        process.stdin.write(f"{word}\n")
        process.stdin.flush()


async def _run(part: str) -> None:
    """The process under measurement: the parts that every service has, put together as `chassis.assembly` does."""
    settings = load(ServiceSettings)
    logs.configure("warning")
    loop: Runs
    if part == "relay":
        database = Database(settings.database_url("booking"))
        loop = outbox_relay("booking", settings, database)
    else:
        database = Database(settings.database_url("notify"))
        loop = consuming(_consumers(), settings, database)
    await database.ping()
    spare_what_stays()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await loop.run()


def _consumers() -> Consumers:
    consumers = Consumers("notify")

    insert = EFFECTS.insert()

    @consumers.on(Probed)
    async def note_effect(event: Probed, session: AsyncSession) -> None:
        await session.execute(insert, {"what": event.what})

    return consumers


def main() -> None:
    options = _parser().parse_args()
    if options.part:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `chassis.process` does
            runner.run(_run(options.part))
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        roots = {"PostgreSQL": postgres.pid or 0, "RabbitMQ": rabbit.pid or 0}
        found = asyncio.run(measure(servers_of(postgres, rabbit), roots, count=options.events, changes=options.changes))
    print("\n".join(found.lines()))
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.throughput", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["relay", "consume"], help="for its own processes")
    parser.add_argument("--events", type=int, default=50_000, help="in the filled outbox (default: %(default)s)")
    parser.add_argument("--changes", type=int, default=200, help="on the idle system (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main()

"""`python -m tests.bench.federation`: events through a link, beside raw messages through the same queues and shovel.

Each border post is a process of its own, as in production; the raw publisher and consumer share this one. Prints
figures, and how far it has come, and never judges them.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from deploy.local import memory
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services.chassis import names
from services.chassis.relay import HOLD
from services.federation.tables import BORDER_CHANNEL
from tests.bench.federation_stage import Linked, linked
from tests.bench.processor import Cost, cost_of
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import Coop
from tests.instances import Instance

IN_FLIGHT = 100
PATIENCE = 900.0
SETTLE_SECONDS = 3.0
TELL_SECONDS = 5.0


def raw(pair: Linked, count: int) -> float:
    """Messages per second, published with confirms, carried by the same queue and shovel, consumed and acknowledged."""
    with _holding(pair):  # or we would take away what Lille says meanwhile
        _until_applied(pair)
        _set_status(pair, "to_confirm")  # its border post leaves the queue to us
        time.sleep(SETTLE_SECONDS)
        try:
            return asyncio.run(_raw(pair, count))
        finally:
            _set_status(pair, "active")


async def _raw(pair: Linked, count: int) -> float:
    body = os.urandom(500).hex().encode()
    seen, all_seen = 0, asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal seen
        await message.ack()
        seen += 1
        if seen >= count:
            all_seen.set()

    async with (
        await aio_pika.connect(_border_url(pair.lille)) as publishing,
        await aio_pika.connect(_border_url(pair.namur)) as consuming,
    ):
        reading = await consuming.channel()
        await reading.set_qos(prefetch_count=IN_FLIGHT)
        await (await reading.get_queue(names.inbound(str(pair.namur_link)), ensure=False)).consume(take)
        exchange = await (await publishing.channel(on_return_raises=True)).get_exchange("out", ensure=False)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        key = names.out(str(pair.lille_link))
        began = time.perf_counter()
        for _ in range(0, count, IN_FLIGHT):
            await asyncio.gather(*(exchange.publish(message, key) for _ in range(IN_FLIGHT)))
        await all_seen.wait()
        return count / (time.perf_counter() - began)


def _border_url(coop: Coop) -> str:
    instance = Instance(name=coop.name, secrets_dir=coop.local.secrets_dir, servers=coop.servers)
    return instance.settings().broker_url("federation", border=True)


def _set_status(pair: Linked, status: str) -> None:
    sql = pair.namur.sql("federation")
    sql.execute("UPDATE links SET status = $1 WHERE id = $2", status, pair.namur_link)
    sql.execute("SELECT pg_notify('links', '')")


def events(pair: Linked, count: int, roots: dict[str, int]) -> tuple[float, Cost]:
    """Signed events per second, from the first look of Lille's relay at them to their effect in Namur."""
    with _holding(pair):
        pair.write(count)
        time.sleep(SETTLE_SECONDS)
    with cost_of(roots) as cost:
        began = time.perf_counter()
        _until_applied(pair)
        rate = count / (time.perf_counter() - began)
    return rate, cost


@contextmanager
def _holding(pair: Linked) -> Generator[None]:
    """Lille's relays send nothing while the block runs."""
    sql = pair.lille.sql("federation")
    _until_sent(pair)
    sql.execute("SELECT pg_advisory_lock($1)", HOLD)
    try:
        yield
    finally:
        sql.execute("SELECT pg_advisory_unlock($1), pg_notify($2, '')", HOLD, BORDER_CHANNEL)


def catch_up(pair: Linked, count: int) -> float:
    """Events a second after a cut, during which Lille has said `count` of them; prints memory on the way."""
    pair.speak("pause")
    time.sleep(SETTLE_SECONDS)
    print(f"catch-up of {count} events after a cut", flush=True)
    _tell("  linked and paused", pair)
    pair.write(count)
    _until_sent(pair)
    _tell("  all of it said and waiting for Namur", pair)
    pair.speak("resume")
    began = time.perf_counter()
    _until_applied(pair, telling=True)
    rate = count / (time.perf_counter() - began)
    time.sleep(SETTLE_SECONDS)
    _tell("  afterwards", pair)
    return rate


def _tell(what: str, pair: Linked) -> None:
    print(f"{what:45} memory: {pair.memory()}", flush=True)


def _until_sent(pair: Linked) -> None:
    deadline = time.monotonic() + PATIENCE
    while pair.lille.value("federation", "SELECT count(*) FROM border_outbox"):
        if time.monotonic() > deadline:
            raise TimeoutError("not all was sent")
        time.sleep(0.5)


def _until_applied(pair: Linked, *, telling: bool = False) -> None:
    began = told = time.monotonic()
    while missing := pair.missing():
        now = time.monotonic()
        if now > began + PATIENCE:
            raise TimeoutError(f"{missing} events were not applied within {PATIENCE:.0f} s")
        if telling and now > told + TELL_SECONDS:
            told = now
            _tell(f"  {now - began:4.0f} s, {missing:6} to come", pair)
        time.sleep(0.1)


def _measure(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-bench-")))
        pair = stack.enter_context(linked(servers_of(postgres, rabbit), place))
        print("two cooperatives are linked", flush=True)
        servers = {"PostgreSQL": postgres.pid or 0, "RabbitMQ": rabbit.pid or 0}
        for trial in range(options.trials):
            with cost_of(servers | {"aio-pika": os.getpid()}) as cost_of_raw:
                plain = raw(pair, options.events)
            signed, cost = events(pair, options.events, servers | pair.pids())
            print(f"trial {trial + 1}: raw {plain:7.0f}/s, signed events {signed:7.0f}/s, ratio {signed / plain:.2f}")
            print(f"  raw:    {cost_of_raw.per(options.events)}")
            print(f"  signed: {cost.per(options.events)}", flush=True)
        if options.catch_up:
            print(f"  {catch_up(pair, options.catch_up):.0f}/s")
        print(memory.report([*servers.values(), *pair.pids().values()]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.federation", description=__doc__)
    parser.add_argument("--events", type=int, default=5000, help="for each trial (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--catch-up", type=int, default=100_000, help="events after a cut; 0: none (%(default)s)")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    _measure(options)


if __name__ == "__main__":
    main()

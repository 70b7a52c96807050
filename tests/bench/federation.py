"""`python -m tests.bench.federation`: events through a link, beside raw messages through the same queues and shovel.

Prints figures and never judges them. Both border posts run in this one process, as do the raw publisher and consumer.
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import aio_pika
import asyncpg
import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage

from contracts.border import BorderListingPublished
from deploy.local import memory
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services.chassis import names
from services.chassis.relay import HOLD
from services.federation.saying import say
from services.federation.shareable import shared_listing
from services.federation.tables import BORDER_CHANNEL, links, positions
from tests.bench.processor import Cost, cost_of
from tests.bench.stage import folder_of, servers_of
from tests.services.federation.pair import Pair, Post, a_pair, listing

IN_FLIGHT = 100
AT_ONCE = 1000
PATIENCE = 1800.0


async def raw(pair: Pair, lille_id: UUID, namur_id: UUID, count: int) -> float:
    """Messages per second, published with confirms, carried by the same queue and shovel, consumed and acknowledged."""
    await _set_status(pair.namur, "to_confirm")  # its border post leaves the queue to us
    await asyncio.sleep(3)
    body = os.urandom(500).hex().encode()
    ours, theirs = (post.instance.settings().broker_url("federation", border=True) for post in (pair.lille, pair.namur))
    seen, all_seen = 0, asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal seen
        await message.ack()
        seen += 1
        if seen >= count:
            all_seen.set()

    async with await aio_pika.connect(ours) as publishing, await aio_pika.connect(theirs) as consuming:
        reading = await consuming.channel()
        await reading.set_qos(prefetch_count=IN_FLIGHT)
        await (await reading.get_queue(names.inbound(str(namur_id)), ensure=False)).consume(take)
        exchange = await (await publishing.channel(on_return_raises=True)).get_exchange("out", ensure=False)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        key = names.out(str(lille_id))
        began = time.perf_counter()
        for _ in range(0, count, IN_FLIGHT):
            await asyncio.gather(*(exchange.publish(message, key) for _ in range(IN_FLIGHT)))
        await all_seen.wait()
        rate = count / (time.perf_counter() - began)
    await _set_status(pair.namur, "active")
    return rate


async def events(pair: Pair, lille_id: UUID, count: int, roots: dict[str, int]) -> tuple[float, Cost]:
    """Signed events per second, from the first look of Lille's relay at them to their effect in Namur."""
    url = pair.lille.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    relay: asyncpg.Connection = await asyncpg.connect(url)
    await relay.execute("SELECT pg_advisory_lock($1)", HOLD)
    await _write(pair.lille, lille_id, count)
    with cost_of(roots) as cost:
        began = time.perf_counter()
        await relay.execute("SELECT pg_advisory_unlock($1), pg_notify($2, '')", HOLD, BORDER_CHANNEL)
        await _until_applied(pair)
        rate = count / (time.perf_counter() - began)
    await relay.close()
    return rate, cost


async def catch_up(pair: Pair, lille_id: UUID, count: int) -> tuple[float, float, float]:
    """After a cut: seconds until all is applied, and this process's memory in MB before and at its highest."""
    namur_id = (await pair.namur.link())["link_id"]
    await pair.namur.call("POST", f"/links/{namur_id}/pause")
    await asyncio.sleep(3)
    await _write(pair.lille, lille_id, count)
    before = memory_now()
    await pair.namur.call("POST", f"/links/{namur_id}/resume")
    began, highest = time.perf_counter(), before
    while not await _is_applied(pair):
        highest = max(highest, memory_now())
        await asyncio.sleep(0.5)
    return time.perf_counter() - began, before, highest


def memory_now() -> float:
    """What this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


async def _write(post: Post, link_id: UUID, count: int) -> None:
    form = shared_listing(listing(text="x" * 500))
    for start in range(0, count, AT_ONCE):
        async with post.db.transaction() as session:
            link = (await session.execute(sa.select(links).where(links.c.id == link_id))).mappings().one()
            for _ in range(start, min(start + AT_ONCE, count)):
                await say(session, link, BorderListingPublished(listing=form.model_copy(update={"id": _new_id()})))


def _new_id() -> UUID:
    return UUID(bytes=os.urandom(16))


async def _set_status(post: Post, status: str) -> None:
    async with post.db.transaction() as session:
        await session.execute(sa.update(links).where(links.c.status != "ended").values(status=status))
        await session.execute(sa.select(sa.func.pg_notify("links", "")))


async def _until_applied(pair: Pair) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await _is_applied(pair):
        if time.monotonic() > deadline:
            raise TimeoutError("not all was applied")
        await asyncio.sleep(0.05)


async def _is_applied(pair: Pair) -> bool:
    said = "SELECT max(seq) FROM streams"
    async with pair.lille.db.reading() as session:
        last = (await session.execute(sa.text(said))).scalar_one()
    return any(row["applied_to"] >= last for row in await pair.namur.rows(positions))


async def _measure(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-bench-")))
        async with a_pair(servers_of(postgres, rabbit), place) as pair:
            lille_id, namur_id = await pair.link()
            roots = {"both posts": os.getpid(), "PostgreSQL": postgres.pid or 0, "RabbitMQ": rabbit.pid or 0}
            for trial in range(options.trials):
                with cost_of(roots) as cost_of_raw:
                    plain = await raw(pair, lille_id, namur_id, options.events)
                signed, cost_of_events = await events(pair, lille_id, options.events, roots)
                print(
                    f"trial {trial + 1}: raw {plain:7.0f}/s, signed events {signed:7.0f}/s, ratio {signed / plain:.2f}"
                )
                print(f"  raw:    {cost_of_raw.per(options.events)}")
                print(f"  signed: {cost_of_events.per(options.events)}", flush=True)
            if options.catch_up:
                seconds, before, highest = await catch_up(pair, lille_id, options.catch_up)
                rate = options.catch_up / seconds
                print(f"catch-up of {options.catch_up} events after a cut: {seconds:.0f} s, {rate:.0f}/s")
                print(f"memory of both border posts: {before:.0f} MB before, {highest:.0f} MB at the most")
        print(memory.report([pid for pid in (postgres.pid, rabbit.pid) if pid is not None]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.federation", description=__doc__)
    parser.add_argument("--events", type=int, default=5000, help="for each trial (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--catch-up", type=int, default=100_000, help="events after a cut; 0: none (%(default)s)")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()

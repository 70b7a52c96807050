"""What the relay carries, beside what aio-pika alone carries on the same broker in the same minute."""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage

from services.chassis import names
from tests.servers import Servers
from tests.services.chassis.trial import EFFECTS, Probed, Trial, make_trial, until

PREFETCH = 100
BATCH = 100


async def measure(servers: Servers, count: int) -> Sequence[str]:
    """Lines of a small table: events per second and their ratio to the raw figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with make_trial(servers, Path(folder) / "secrets") as trial:
            raw = await _raw(trial, count)
            relayed = await _relayed(trial, count)
            handled = await _handled(trial, count)
    rows = (
        ("aio-pika alone: publish with confirms, consume", raw),
        ("(d) outbox, relay, consume", relayed),
        ("    outbox, relay, inbox, one row of effect", handled),
    )
    return [f"{title:58}{rate:8.0f}{rate / raw:8.2f}" for title, rate in rows]


async def _raw(trial: Trial, count: int) -> float:
    body = Probed(what="x" * 500).model_dump_json().encode()
    async with await aio_pika.connect(trial.settings.broker_url("booking")) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(names.EVENTS, ensure=False)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        began = time.perf_counter()
        async with _counting(trial, count):
            for _ in range(0, count, BATCH):
                await asyncio.gather(*(exchange.publish(message, Probed.type) for _ in range(BATCH)))
    return count / (time.perf_counter() - began)


async def _relayed(trial: Trial, count: int) -> float:
    await _fill(trial, count)
    began = time.perf_counter()
    async with _counting(trial, count), trial.relaying():
        await until(lambda: _sent(trial), 300)
    return count / (time.perf_counter() - began)


async def _handled(trial: Trial, count: int) -> float:
    trial.count_effects()
    await _fill(trial, count)
    async with trial.listening():
        began = time.perf_counter()
        async with trial.relaying():
            await until(lambda: _done(trial, count), 300)
            return count / (time.perf_counter() - began)


@asynccontextmanager
async def _counting(trial: Trial, count: int) -> AsyncGenerator[None]:
    """Consume from the queue of `notify`; the block ends when `count` messages were taken."""
    seen, all_seen = 0, asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal seen
        await message.ack()
        seen += 1
        if seen >= count:
            all_seen.set()

    async with await aio_pika.connect(trial.settings.broker_url("notify")) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(names.queue("notify", Probed.type), ensure=False)
        await queue.consume(take)
        yield
        await all_seen.wait()


async def _fill(trial: Trial, count: int) -> None:
    for start in range(0, count, BATCH):
        await trial.say(*(f"{number} {'x' * 500}" for number in range(start, start + BATCH)))


async def _sent(trial: Trial) -> bool:
    return await trial.unsent() == 0


async def _done(trial: Trial, count: int) -> bool:
    async with trial.notify.reading() as session:
        return (await session.execute(sa.select(sa.func.count()).select_from(EFFECTS))).scalar_one() >= count

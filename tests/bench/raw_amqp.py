"""The yardstick of `tests.bench.throughput`: aio-pika alone, publishing and consuming in this one process.

Frozen: figures of different days are compared by it. Persistent messages through the exchange `events` into a quorum
queue, publisher confirms, 100 of them in flight, prefetch 100, every message acknowledged, no work done on it.
"""

import asyncio
import time
from collections.abc import Mapping

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, FieldValue

IN_FLIGHT = 100


async def rate(
    *,
    publish_url: str,
    consume_url: str,
    key: str,
    queue: str,
    body: bytes,
    headers: Mapping[str, FieldValue],
    count: int,
) -> float:
    """Messages a second, published as one user and taken from `queue` as another."""
    seen, all_seen = 0, asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal seen
        await message.ack()
        seen += 1
        if seen >= count:
            all_seen.set()

    async with await aio_pika.connect(publish_url) as publishing, await aio_pika.connect(consume_url) as consuming:
        reader = await consuming.channel()
        await reader.set_qos(prefetch_count=IN_FLIGHT)
        await (await reader.get_queue(queue, ensure=False)).consume(take)
        channel = await publishing.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("events", ensure=False)

        async def publish(number: int) -> None:
            for _ in range(number, count, IN_FLIGHT):
                message = aio_pika.Message(
                    body,
                    headers=dict(headers),
                    content_type="application/json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                )
                await exchange.publish(message, key, mandatory=True)

        began = time.perf_counter()
        await asyncio.gather(*(publish(number) for number in range(IN_FLIGHT)))
        await all_seen.wait()
        return count / (time.perf_counter() - began)

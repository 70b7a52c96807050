"""A hundred people at once for one hour, by a client that costs next to nothing: connections that wait, bytes written.

What the client does counts in every answer's time: with a full HTTP client, it took longer than what was measured.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from tests.bench.booking.stage import BASE, Stage

_PATH = "/api/booking/bookings"


@dataclass(frozen=True)
class Answer:
    status: int
    milliseconds: float


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, url: str) -> "_Connection":
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def ask(self, request: bytes) -> Answer:
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        lengths = [int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")]
        _ = await self._reader.readexactly(lengths[0])
        return Answer(int(status.split()[1]), (time.perf_counter() - began) * 1000)

    async def aclose(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def contended(stage: Stage, rounds: int, clients: int) -> tuple[list[int], float]:
    """How many of `clients` at once got one hour, round after round; the median answer of the refused, in ms."""
    answers = [await _round(stage, number, clients) for number in range(rounds)]
    won = [sum(one.status == 201 for one in of_round) for of_round in answers]
    refused = [one.milliseconds for of_round in answers for one in of_round if one.status == 409]
    return won, statistics.median(refused) if refused else 0.0


async def _round(stage: Stage, number: int, clients: int) -> Sequence[Answer]:
    start = BASE + timedelta(days=200, hours=number)
    body = {
        "offer_id": str(stage.offers[0]),
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    }
    request = _post(json.dumps(body).encode(), stage.person.token)
    urls = [coop.local.url for coop in stage.replicas]
    async with AsyncExitStack() as stack:
        connections = [await _Connection.to(urls[number % len(urls)]) for number in range(clients)]
        for connection in connections:
            stack.push_async_callback(connection.aclose)
        return await asyncio.gather(*(connection.ask(request) for connection in connections))


def _post(body: bytes, token: str) -> bytes:
    head = [f"POST {_PATH} HTTP/1.1", "Host: lille", f"Authorization: Bearer {token}", "Content-Type: application/json"]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body

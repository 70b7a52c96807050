"""What is away is spoken of once, then seldom: a log that repeats itself hides everything else."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import URL
from structlog.testing import capture_logs

from contracts.booking import ResourceChanged
from services.chassis import database_listener, logs, messaging, relay
from services.chassis.database import Database
from services.chassis.database_listener import Listener
from services.chassis.messaging import Consumers, Consuming
from services.chassis.outbox import CHANNEL
from services.chassis.process import Runs
from services.chassis.publishing import Publisher
from services.chassis.relay import Relay, event_message

NOBODY = "amqp://guest:guest@127.0.0.1:1/"
NOWHERE = URL.create("postgresql+asyncpg", "nobody", "", "127.0.0.1", 1, "nothing")


def test_an_outage_is_told_as_it_begins_and_then_once_a_minute() -> None:
    seconds = 0.0
    outage = logs.Outage(clock=lambda: seconds)
    told: list[float] = []
    assert not outage.is_over(), "nothing was away"
    for second in range(150):
        seconds = float(second)
        if outage.goes_on():
            told.append(seconds)
    assert told == [0, 60, 120]
    assert outage.is_over()
    assert not outage.is_over()
    assert outage.goes_on(), "the next one is told at once"


async def _run_for(seconds: float, loop: Runs) -> list[str]:
    """What `loop` logged meanwhile."""
    with capture_logs() as said:
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(seconds)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return [entry["event"] for entry in said]


async def test_consumers_without_a_broker_say_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    class Counted(messaging.Broker):
        async def start(self) -> None:
            nonlocal tries
            tries += 1
            await super().start()

    monkeypatch.setattr(messaging, "Broker", Counted)
    monkeypatch.setattr(messaging, "RETRY_SECONDS", 0.05)
    consumers = Consumers("catalog")

    @consumers.on(ResourceChanged)
    async def hear(_event: ResourceChanged, _session: object) -> None: ...  # pyright: ignore[reportUnusedFunction]

    said = await _run_for(1.0, Consuming(consumers, Database(NOWHERE), NOBODY))
    assert tries > 2
    assert said.count("consumers-interrupted") == 1


async def test_a_relay_without_a_database_says_so_once_and_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(logs, "Outage", partial(logs.Outage, seconds=0.3))
    one = Relay(Database(NOWHERE), Publisher(NOBODY), event_message("t/catalog"), name="catalog", channel=CHANNEL)
    said = await _run_for(1.0, one)
    assert 2 <= said.count("relay-interrupted") <= 4


async def test_a_listener_without_a_database_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_listener, "RECONNECT_SECONDS", 0.02)
    said = await _run_for(0.5, Listener(NOWHERE, CHANNEL))
    assert said.count("listener-interrupted") == 1

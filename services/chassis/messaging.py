"""Listening to events: one handler for each event type, and the effect of each event exactly once."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import aio_pika
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from contracts.envelope import Event
from services.chassis import logs
from services.chassis.database import Database
from services.chassis.handling import Handling
from services.chassis.publishing import Publisher
from services.chassis.queue_reader import QueueReader
from services.chassis.settings import ServiceSettings

GRACEFUL_SECONDS = 5.0
CLOSE_SECONDS = 0.25
RETRY_SECONDS = 1.0
WATCH_SECONDS = 1.0
START_SECONDS = 15.0

E = TypeVar("E", bound=Event)
Handler = Callable[..., Awaitable[None]]

_log = logs.get(__name__)


@dataclass(frozen=True)
class Subscription:
    """One event type and the function that answers it: `(event, session)` or `(event, session, envelope)`."""

    event: type[Event]
    handler: Handler
    wants_envelope: bool


class Consumers:
    """What a service listens to."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._subscriptions: dict[str, Subscription] = {}

    @property
    def subscriptions(self) -> list[str]:
        """The event types listened to, sorted."""
        return sorted(self._subscriptions)

    def on(self, event: type[E]) -> Callable[[Handler], Handler]:
        """Register the decorated function for `event`. Raises ValueError for a second handler of one type."""

        def register(handler: Handler) -> Handler:
            if event.type in self._subscriptions:
                raise ValueError(f"{self.service} has a handler for {event.type} already")
            parameters = len(inspect.signature(handler).parameters)
            if parameters not in {2, 3}:
                raise ValueError(f"{handler.__name__} takes (event, session) or (event, session, envelope)")
            self._subscriptions[event.type] = Subscription(event, handler, wants_envelope=parameters == 3)  # noqa: PLR2004
            return handler

        return register

    def get(self, event_type: str) -> Subscription:
        return self._subscriptions[event_type]


class Consuming:
    """Runs the consumers of one service until cancelled; survives outages of the broker and of the database."""

    def __init__(self, consumers: Consumers, db: Database, broker_url: str) -> None:
        self._consumers = consumers
        self._url = broker_url
        self._publisher = Publisher(broker_url)
        self._outage = logs.Outage()
        self._handling = Handling(consumers.service, db, self._publisher)
        self._readers: list[QueueReader] = []

    @property
    def connected(self) -> bool:
        """Whether every subscription is alive: for readiness."""
        return bool(self._readers) and all(reader.alive for reader in self._readers)

    async def run(self) -> None:
        """Consume until cancelled, then finish what is in hand (5 seconds at most) and hand back the rest."""
        try:
            while True:
                try:
                    await self._consume_until_lost()
                except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
                    self._speak_of_outage(f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            await self._publisher.close()

    async def _consume_until_lost(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            connection = await aio_pika.connect(self._url)
        self._readers = [
            QueueReader(connection, self._handling, self._consumers.get(event_type), self._consumers.service)
            for event_type in self._consumers.subscriptions
        ]
        tasks = [asyncio.create_task(reader.run()) for reader in self._readers]
        try:
            # aio-pika's `is_closed` stays false when it was the broker that closed
            while connection.connected.is_set():
                ended, _ = await asyncio.wait(tasks, timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                self._watch()
                for task in ended:  # with the connection, or by an error that nobody foresaw
                    task.result()
        finally:
            with suppress(TimeoutError, *CONNECTION_EXCEPTIONS):  # it may be lost already
                async with asyncio.timeout(GRACEFUL_SECONDS + CLOSE_SECONDS):
                    await self._end(tasks)
                    await connection.close()

    def _watch(self) -> None:
        if not self.connected:
            self._speak_of_outage("a queue that is not read")
        elif self._outage.is_over():
            _log.info("consumers-resumed", service=self._consumers.service)

    def _speak_of_outage(self, error: str) -> None:
        if self._outage.goes_on():
            _log.warning("consumers-interrupted", service=self._consumers.service, error=error)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Let the readers finish what they have in hand; what they had not begun goes back with their channels."""
        for reader in self._readers:
            reader.stop()
        self._readers = []
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACEFUL_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def consuming(consumers: Consumers, settings: ServiceSettings, db: Database) -> Consuming:
    """The running side of `consumers`, under the service's own broker user."""
    return Consuming(consumers, db, settings.broker_url(consumers.service))

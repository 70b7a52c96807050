"""Listening to events: one handler for each event type, and the effect of each event exactly once."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aio_pika import IncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from faststream import AckPolicy
from faststream.exceptions import FastStreamException
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.message import RabbitMessage

from contracts.envelope import Event
from services.chassis import letters, logs, names
from services.chassis.connecting import Broker
from services.chassis.database import Database
from services.chassis.gathering import Gathering
from services.chassis.handling import Handling
from services.chassis.publishing import Publisher
from services.chassis.settings import ServiceSettings

PREFETCH = 200
GRACEFUL_SECONDS = 4.25
CLOSE_SECONDS = 0.25
HANG_UP_SECONDS = 1.0
RETRY_SECONDS = 1.0
WATCH_SECONDS = 1.0
START_SECONDS = 15.0
LONGEST_START_SECONDS = 120.0

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
        self.connected = False
        """Whether every subscription is alive: for readiness."""
        self._consumers = consumers
        self._url = broker_url
        self._publisher = Publisher(broker_url)
        self._outage = logs.Outage()
        forget = functools.partial(letters.forget, broker_url, consumers.service)
        self._handling = Handling(consumers.service, db, self._publisher, forget)
        self._gatherings: list[Gathering] = []
        self._patience = START_SECONDS

    async def run(self) -> None:
        """Consume until cancelled, then finish what is in hand (GRACEFUL_SECONDS at most) and hand back the rest."""
        try:
            while True:
                await self._consume_until_lost()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            await self._publisher.close()

    async def _consume_until_lost(self) -> None:
        """Start a broker object and return when it has lost its connection, a channel or a subscription."""
        broker = self._broker()
        try:
            lost = await self._start(broker)
            await self._watch(broker, lost)
        except (*CONNECTION_EXCEPTIONS, FastStreamException, TimeoutError) as error:
            self._speak_of_outage(f"{type(error).__name__}: {error}")
        finally:
            self.connected = False
            await self._stop(broker)

    async def _start(self, broker: Broker) -> "asyncio.Future[str]":
        """Raises TimeoutError when nothing goes on: a queue without a leader leaves the question unanswered.

        Each time with more patience: on a busy machine, starting anew before the end would go on for ever.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience) as limit:
                broker.on_progress = lambda: limit.reschedule(loop.time() + self._patience)
                await broker.start()
                lost = await losses_of(broker)
        except TimeoutError:
            self._patience = min(self._patience * 2, LONGEST_START_SECONDS)
            raise
        self._patience = START_SECONDS
        return lost

    async def _watch(self, broker: RabbitBroker, lost: "asyncio.Future[str]") -> None:
        while _is_alive(broker) and not lost.done():
            self.connected = True
            if self._outage.is_over():
                _log.info("consumers-resumed", service=self._consumers.service)
            await asyncio.wait([lost], timeout=WATCH_SECONDS)
        self._speak_of_outage(lost.result() if lost.done() else "no connection, or a queue that is not read")

    def _speak_of_outage(self, error: str) -> None:
        if self._outage.goes_on():
            _log.warning("consumers-interrupted", service=self._consumers.service, error=error)

    def _broker(self) -> Broker:
        broker = Broker(
            self._url,
            graceful_timeout=GRACEFUL_SECONDS,
            reconnect_interval=1.0,
            timeout=5.0,
            app_id=None,
            logger=None,
            apply_types=False,
        )
        events = RabbitExchange(names.EVENTS, declare=False)
        self._gatherings = []
        for event_type in self._consumers.subscriptions:
            name = names.queue(self._consumers.service, event_type)
            subscriber = broker.subscriber(
                RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, declare=False),
                events,
                ack_policy=AckPolicy.MANUAL,
                channel=Channel(prefetch_count=PREFETCH, publisher_confirms=False),
                no_reply=True,
                parser=_as_it_is,
                decoder=_whole_message,
            )
            subscriber(self._handler(event_type))
        return broker

    def _handler(self, event_type: str) -> Callable[[RabbitMessage], Awaitable[None]]:
        gathering = Gathering(self._handling, self._consumers.get(event_type))
        self._gatherings.append(gathering)

        async def handle(message: RabbitMessage) -> None:
            await gathering.take(message.raw_message)

        return handle

    async def _stop(self, broker: Broker) -> None:
        for gathering in self._gatherings:
            gathering.stop()
        try:
            async with asyncio.timeout(GRACEFUL_SECONDS + CLOSE_SECONDS):
                await broker.stop()
        except (TimeoutError, ExceptionGroup, *CONNECTION_EXCEPTIONS) as error:
            _log.warning("consumers-not-stopped", service=self._consumers.service, error=repr(error))
        finally:
            # FastStream closes it last, and not at all when it could not be made or a consumer was not cancelled in
            # time: then it would go on to take messages that nobody handles, also after a reconnect
            for connection in broker.begun:
                if not connection.is_closed:
                    await _hang_up(connection)


def consuming(consumers: Consumers, settings: ServiceSettings, db: Database) -> Consuming:
    """The running side of `consumers`, under the service's own broker user."""
    return Consuming(consumers, db, settings.broker_url(consumers.service))


async def _as_it_is(message: IncomingMessage) -> RabbitMessage:
    """In place of FastStream's parser: `handling` reads the message itself, those that wait at once."""
    return RabbitMessage(message, b"", correlation_id=message.message_id or "-")


async def _whole_message(message: RabbitMessage) -> RabbitMessage:
    """In place of FastStream's decoder: an undecodable body is ours to dead-letter, not FastStream's to drop."""
    return message


def _is_alive(broker: RabbitBroker) -> bool:
    """Whether the connection is up and every subscriber's channel is open."""
    # FastStream offers a ping, which sees no single channel
    connection = broker._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    if connection is None or connection.is_closed or not connection.connected.is_set():
        return False
    queues = _queues(broker)
    return all(queue is not None and not queue.channel.is_closed for queue in queues)


async def _hang_up(connection: Any) -> None:
    """Close it without waiting for an answer for long: what it has not answered goes back to its queues."""
    try:
        async with asyncio.timeout(HANG_UP_SECONDS):
            await connection.close()
    except (TimeoutError, *CONNECTION_EXCEPTIONS):
        return  # its socket is closed all the same


async def losses_of(broker: RabbitBroker) -> "asyncio.Future[str]":
    """Done when the broker cancels a consumer (its queue was deleted, its leader is gone) or closes its channel.

    The result says which, in the broker's words: that a handler took too long is told nowhere else.
    """
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def note(*why: object) -> None:
        if not lost.done():
            errors = [f"{type(one).__name__}: {one}" for one in why if isinstance(one, BaseException)]
            lost.set_result(" ".join(errors) or "a consumer was cancelled")

    for queue in _queues(broker):
        bare = await queue.channel.get_underlay_channel()
        bare.on_consumer_cancel_callbacks.add(note)
        queue.channel.close_callbacks.add(note)
    return lost


def _queues(broker: RabbitBroker) -> list[Any]:
    return [getattr(subscriber, "_queue_obj", None) for subscriber in broker.subscribers]

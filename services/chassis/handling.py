"""What happens to one message: its effect once, or a delayed return, or the dead-letter queue. Never silence."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from aio_pika import IncomingMessage
from prometheus_client import Counter, Histogram
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from services.chassis import inbox, logs, names, tracing
from services.chassis.database import Database, sqlstate
from services.chassis.problems import Problem
from services.chassis.publishing import Message, NotPublished, Publisher

if TYPE_CHECKING:
    from services.chassis.messaging import Subscription

LONGEST_ERROR = 2000
DELAY_WHILE_DATABASE_IS_AWAY = "5s"
DELAY_OF_WHAT_PASSES = "5s"
PAUSE_WHILE_DATABASE_IS_AWAY = 1.0

_NOT_OURS_TO_PASS_ON = {"x-received-from", "x-death", "x-delivery-count", "CC", "BCC"}
_NOT_OURS_PREFIXES = ("x-first-death-", "x-last-death-")

_HANDLED = Counter("maillage_events_handled", "Events by how they ended.", ["service", "type", "outcome"])
_SECONDS = Histogram("maillage_event_seconds", "Time of a transaction of handlers.", ["service", "type"])

_log = logs.get(__name__)

Said = tuple[Envelope, Event]
Forget = Callable[[Collection[str]], Awaitable[Collection[str]]]


class Unreadable(ValueError):
    """A message that no later attempt can make readable."""


class Handling:
    """Answers the messages of one service: each is acknowledged only after its end is safe somewhere."""

    def __init__(self, service: str, db: Database, publisher: Publisher, forget: "Forget | None" = None) -> None:
        """`forget`: deletes what could not be handled before and is about these ids."""
        self._service = service
        self._db = db
        self._publisher = publisher
        self._forget = forget

    async def handle(self, messages: Sequence[IncomingMessage], subscription: "Subscription") -> list[IncomingMessage]:
        """Give each of `messages` its effect, a later return or a place among the dead letters.

        All in one transaction; when that fails, each in its own. Returns those for which there was none of the three,
        because the broker takes nothing from us: to be handled again.
        """
        event_type = subscription.event.type
        outcomes = await self._together(messages, subscription)
        if outcomes is None:
            outcomes = [await self._safely(self._alone, message, subscription) for message in messages]
        for outcome in outcomes:
            _HANDLED.labels(self._service, event_type, outcome).inc()
        return [message for message, outcome in zip(messages, outcomes, strict=True) if outcome == "waiting"]

    async def _together(self, messages: Sequence[IncomingMessage], subscription: "Subscription") -> list[str] | None:
        """The outcomes of one transaction for all; None when that is not to be had."""
        if len(messages) == 1:
            return None
        try:
            said = [_read(message, subscription.event) for message in messages]
            if any(event.forgotten for _, event in said):
                return None
            with _SECONDS.labels(self._service, subscription.event.type).time():
                done = await self._db.run(_apply_all, subscription, said)
        except Exception as error:  # noqa: BLE001 - whose fault it was shows when they go one by one
            if not is_database_away(error):
                return None
            outcomes = [await self._safely(self._failed, message, subscription, error) for message in messages]
            await asyncio.sleep(PAUSE_WHILE_DATABASE_IS_AWAY)  # not faster round and round than needed
            return outcomes
        return ["done" if first else "duplicate" for first in done]

    async def _safely(
        self, end: Callable[..., Awaitable[str]], message: IncomingMessage, subscription: "Subscription", *rest: Any
    ) -> str:
        """What `end` comes to; "waiting" when the broker does not take what it returns or sets aside."""
        try:
            return await end(message, subscription, *rest)
        except NotPublished as error:
            _log.error("event-waits", service=self._service, type=subscription.event.type, error=str(error))
            return "waiting"

    async def _alone(self, message: IncomingMessage, subscription: "Subscription") -> str:
        """Raises NotPublished when the broker does not take what must be returned or set aside."""
        try:
            said = _read(message, subscription.event)
        except Unreadable as error:
            await self._set_aside(message, names.queue(self._service, subscription.event.type), error)
            return "unreadable"
        tracing.begin(said[0].traceparent)
        try:
            with _SECONDS.labels(self._service, subscription.event.type).time():
                (first,) = await self._db.run(_apply_all, subscription, [said])
            await self._forget_letters(message, subscription, said[1])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises ends in the retry or the dead-letter queue
            return await self._failed(message, subscription, error)
        return "done" if first else "duplicate"

    async def _forget_letters(self, message: IncomingMessage, subscription: "Subscription", event: Event) -> None:
        """Among dead letters nothing is kept of whoever has left: now, and twice later, when retries have ended."""
        if not event.forgotten or self._forget is None:
            return
        for letter in await self._forget(event.forgotten):
            _log.warning("dead-letter-forgotten", service=self._service, letter=letter)
        attempt, longest = _attempt(message), len(names.RETRY_DELAYS)
        if attempt <= longest:
            queue = names.queue(self._service, subscription.event.type)
            await self._return_later(message, queue, list(names.RETRY_DELAYS)[-1], max(attempt + 1, longest))

    async def _failed(self, message: IncomingMessage, subscription: "Subscription", error: Exception) -> str:
        queue, attempt = names.queue(self._service, subscription.event.type), _attempt(message)
        if is_database_away(error):
            # not the message's fault: not counted
            await self._return_later(message, queue, DELAY_WHILE_DATABASE_IS_AWAY, attempt)
            _log.warning("database-away", service=self._service, queue=queue, error=str(error))
            return "postponed"
        if isinstance(error, Problem) and error.passes:
            await self._return_later(message, queue, DELAY_OF_WHAT_PASSES, attempt)
            return "retried"
        what: dict[str, Any] = {"service": self._service, "queue": queue, "attempt": attempt + 1}
        if isinstance(error, Problem):  # foreseen: it asks for a later attempt
            _log.warning("handler-waits", **what, error=type(error).__name__)
        else:
            _log.error("handler-failed", **what, exc_info=error)
        delays = list(names.RETRY_DELAYS)
        if attempt >= len(delays):
            await self._set_aside(message, queue, error)
            return "dead"
        await self._return_later(message, queue, delays[attempt], attempt + 1)
        return "retried"

    async def _return_later(self, message: IncomingMessage, queue: str, delay: str, attempt: int) -> None:
        headers = {names.HEADER_DELAY: delay, names.HEADER_ATTEMPT: attempt}
        await self._pass_on(message, names.retry_exchange(self._service), queue, headers)

    async def _set_aside(self, message: IncomingMessage, queue: str, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        headers = {names.HEADER_ERROR: text, names.HEADER_QUEUE: queue, names.HEADER_ATTEMPT: _attempt(message)}
        await self._pass_on(message, names.dead(self._service), queue, headers)
        _log.error("event-dead-lettered", service=self._service, queue=queue, error=text)

    async def _pass_on(self, message: IncomingMessage, exchange: str, key: str, headers: dict[str, Any]) -> None:
        await self._publisher.publish(
            Message(
                exchange=exchange,
                key=key,
                headers=own_headers(message.headers) | headers,
                body=message.body,
                id=message.message_id or "",
                content_type=message.content_type or "application/octet-stream",
            )
        )


async def _apply_all(session: AsyncSession, subscription: "Subscription", said: Sequence[Said]) -> list[bool]:
    """Inbox and handlers in one transaction. For each event whether it was handled now, not before."""
    new = await inbox.first_times(session, [(envelope.source, envelope.id) for envelope, _ in said])
    done: list[bool] = []
    for envelope, event in said:
        first = (envelope.source, envelope.id) in new
        if first:
            new.discard((envelope.source, envelope.id))
            tracing.begin(envelope.traceparent)
            await subscription.handler(event, session, *([envelope] if subscription.wants_envelope else []))
            await _forget_objects(session)
        done.append(first)
    return done


async def _forget_objects(session: AsyncSession) -> None:
    """Each handler reads what it needs anew, as if the session were its own."""
    if session.new or session.identity_map:
        await session.flush()
        session.expunge_all()


def _read(message: IncomingMessage, kind: type[Event]) -> Said:
    """Raises Unreadable."""
    try:
        envelope = Envelope.from_headers(dict(message.headers), message.body)
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if envelope.type != kind.type:
        raise Unreadable(f"an event of type {envelope.type} in the queue for {kind.type}")
    try:
        return envelope, kind.model_validate_json(envelope.data)
    except ValidationError as error:
        # without what was sent: the error is logged, and some events carry links that open accounts
        wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise Unreadable(f"not a {kind.type}: {'; '.join(wrong)}") from None


def own_headers(headers: Any) -> dict[str, Any]:
    """The headers of a message without what brokers added on its way, which would steer it when published again."""
    return {
        name: value
        for name, value in headers.items()
        if name not in _NOT_OURS_TO_PASS_ON and not name.startswith(_NOT_OURS_PREFIXES)
    }


def _attempt(message: IncomingMessage) -> int:
    """How many handlers have failed on this message."""
    value = message.headers.get(names.HEADER_ATTEMPT)
    return value if isinstance(value, int) and value >= 0 else 0


_DATABASE_AWAY_STATES = ("08", "57P", "53")
"""Classes of SQLSTATE: connection exception, operator intervention (shutdown), insufficient resources."""


def is_database_away(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be reached, rather than that it refused something."""
    if isinstance(error, PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        state = sqlstate(error)
        if state is not None:
            return state.startswith(_DATABASE_AWAY_STATES)
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, ConnectionError | OSError) and _comes_from_asyncpg(error)


def _comes_from_asyncpg(error: BaseException) -> bool:
    """Whether asyncpg raised `error`: plain OSErrors when it cannot connect. A handler's own are not that."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("asyncpg"):
            return True
        trace = trace.tb_next
    return False

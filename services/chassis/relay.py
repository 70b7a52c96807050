"""The relay: rows of an outbox to the broker, at least once.

Claims a batch, publishes it concurrently with confirms, deletes what was confirmed, repeats. Safe in every replica
(FOR UPDATE SKIP LOCKED); killed between publish and delete it publishes again, and the inbox drops the duplicate.

Measured on two busy cores, RabbitMQ 3.10.8, PostgreSQL 18: of the processor, an event costs the relay 116 microseconds,
the consumer 359, PostgreSQL 80, RabbitMQ 102; aio-pika alone, publishing and consuming, 378 and RabbitMQ's 140
(`make bench-events`).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter, Gauge
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from services.chassis import logs, names
from services.chassis.database import Database
from services.chassis.database_listener import Listener
from services.chassis.outbox import CHANNEL
from services.chassis.publishing import ChannelLost, Message, NotPublished, Publisher, Refused
from services.chassis.settings import ServiceSettings

BATCH = 200
FALLING_ASLEEP = (0.02, 0.2, 2.0)
"""How long to wait for the next NOTIFY: first shortly, for what was committed just as we stopped looking."""
GATHER_SECONDS = 0.003
"""Under load, several small transactions make one batch."""
PAUSE_SECONDS = 0.5
LONGEST_PARKING_SECONDS = 60.0
COUNT_SECONDS = 2.0
COUNTED_AT_MOST = 200_000
HOLD = 7_211_941
"""The advisory lock of a service's database by which `python -m services hold` keeps its relays from sending."""

Row = sa.RowMapping

_PUBLISHED = Counter("maillage_relay_published", "Events that the broker has confirmed.", ["relay"])
_FAILURES = Counter("maillage_relay_failures", "Publishes without a confirm.", ["relay"])
_BACKLOG = Gauge("maillage_relay_backlog", "Events that wait in the outbox.", ["relay"])

_log = logs.get(__name__)


class _Parked(NamedTuple):
    until: float
    times: int


def event_message(source: str) -> Callable[[Row], Message]:
    """How a row of a service's outbox becomes a message to `events`. `source`: "<instance>/<service>"."""

    def message(row: Row) -> Message:
        envelope = Envelope(source=source, **{**row, "data": row["data"].encode()})
        return Message(
            exchange=names.EVENTS, key=row["type"], headers=envelope.headers(), body=envelope.data, id=str(row["id"])
        )

    return message


def outbox_relay(service: str, settings: ServiceSettings, db: Database) -> "Relay":
    """The relay from the outbox of `service` to the exchange `events`."""
    source = f"{settings.instance}/{service}"
    return Relay(db, Publisher(settings.broker_url(service)), event_message(source), name=service)


class Relay:
    """Moves rows of one table to one broker until cancelled; survives outages of the database and of the broker.

    `table`: name of a table with a column `id` (uuid, gives the order) and `columns`.
    `channel`: the NOTIFY that wakes it. `to_message`: turns a row into what is published. `name`: in the metrics.
    """

    def __init__(
        self,
        db: Database,
        publisher: Publisher,
        to_message: Callable[[Row], Message],
        *,
        name: str,
        table: str = "outbox",
        columns: Sequence[str] = ("type", "subject", "time", "traceparent", "data"),
        channel: str = CHANNEL,
    ) -> None:
        self.name = name
        self.trouble: str | None = None
        """Why the last batch did not go out, for readiness; None when it did."""
        self.backlog = 0
        """How many events wait, as far as was counted lately."""
        self._db = db
        self._publisher = publisher
        self._to_message = to_message
        self._table = sa.table(table, sa.column("id", sa.Uuid), *(sa.column(column) for column in columns))
        self._listener = Listener(db.url, channel)
        self._parked: dict[UUID, _Parked] = {}
        self._outage = logs.Outage()
        self._count_at = 0.0

    async def run(self) -> None:
        """Relay until cancelled."""
        listening = asyncio.create_task(self._listener.run(), name=f"{self.name}-listener")
        try:
            await self._relay()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await self._publisher.close()

    async def _relay(self) -> None:
        """Look while something is there, then sleep. From the second batch in a row on, writers need not wake us."""
        busy = idle = 0
        while True:
            if taken := await self._batch_or_pause():
                busy, idle = busy + 1, 0
                await self._listener.stay_awake(busy > 1)
                if taken < BATCH:
                    await asyncio.sleep(GATHER_SECONDS)
            else:
                await self._listener.stay_awake(False)
                await self._listener.wait(FALLING_ASLEEP[min(idle, len(FALLING_ASLEEP) - 1)])
                busy, idle = 0, idle + 1

    async def _batch_or_pause(self) -> int:
        try:
            taken = await self._relay_batch()
        except Exception as error:  # noqa: BLE001 - whatever it is, rows are safe and the relay must outlive it
            if self._outage.goes_on():
                _log.warning("relay-interrupted", relay=self.name, error=f"{type(error).__name__}: {error}")
            self.trouble = f"{type(error).__name__}: {error}".splitlines()[0]
            await asyncio.sleep(PAUSE_SECONDS)
            return BATCH
        if self._outage.is_over():
            _log.info("relay-resumed", relay=self.name)
        self.trouble = None
        return taken

    async def _relay_batch(self) -> int:
        """Publish and delete one batch. Returns how many rows it took. Raises NotPublished when the broker is away."""
        async with self._db.transaction() as session:
            rows = await self._claim(session)
            await self._measure_backlog(session, len(rows))
            if not rows:
                return 0
            outcomes = await self._publish(rows)
            await self._delete(session, [row["id"] for row, outcome in zip(rows, outcomes, strict=True) if not outcome])
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, Refused | ChannelLost):
                self._park(row["id"], outcome)
        if away := next((outcome for outcome in outcomes if type(outcome) is NotPublished), None):
            raise away
        return len(rows)

    async def _claim(self, session: AsyncSession) -> Sequence[Row]:
        parked = [row_id for row_id, place in self._parked.items() if place.until > time.monotonic()]
        key: sa.ColumnElement[UUID] = self._table.c.id
        # a scalar subquery: asked once, before any row is read
        may_send = sa.select(sa.func.pg_try_advisory_xact_lock_shared(HOLD)).scalar_subquery()
        query = sa.select(self._table).where(may_send).order_by(key).limit(BATCH).with_for_update(skip_locked=True)
        if parked:
            query = query.where(key.not_in(parked))
        return (await session.execute(query)).mappings().all()

    async def _publish(self, rows: Sequence[Row]) -> list[NotPublished | None]:
        made = [self._message(row) for row in rows]
        messages = [one for one in made if isinstance(one, Message)]
        sent = iter(await self._one_by_one(messages, await self._publisher.publish_all(messages)))
        outcomes = [next(sent) if isinstance(one, Message) else one for one in made]
        failed = sum(outcome is not None for outcome in outcomes)
        _FAILURES.labels(self.name).inc(failed)
        _PUBLISHED.labels(self.name).inc(len(outcomes) - failed)
        return outcomes

    async def _one_by_one(
        self, messages: Sequence[Message], outcomes: list[NotPublished | None]
    ) -> list[NotPublished | None]:
        """Publish again, alone, what was lost with others: over one of them the broker may have closed the door.

        Alone, that one is known by losing its channel; and one that loses its connection shows that the broker is away.
        """
        for place, message in enumerate(messages):
            outcome = outcomes[place]
            if outcome is not None and not isinstance(outcome, Refused) and len(messages) > 1:
                (outcomes[place],) = await self._publisher.publish_all([message])
                if type(outcomes[place]) is NotPublished:
                    break
        return outcomes

    def _message(self, row: Row) -> Message | Refused:
        try:
            return self._to_message(row)
        except Exception as error:  # noqa: BLE001 - one row that cannot be read must not hold up the others
            return Refused(f"no message can be made of it: {error!r}")

    def _park(self, row_id: UUID, reason: NotPublished) -> None:
        """Leave the row where it is, try it again ever more seldom, and let the others pass."""
        times = self._parked[row_id].times + 1 if row_id in self._parked else 0
        self._parked[row_id] = _Parked(time.monotonic() + min(LONGEST_PARKING_SECONDS, 2.0**times), times)
        _log.error("event-not-published", relay=self.name, id=str(row_id), error=str(reason))

    async def _delete(self, session: AsyncSession, ids: Sequence[UUID]) -> None:
        for row_id in ids:
            self._parked.pop(row_id, None)
        if ids:
            sent = sa.bindparam("sent", list(ids), type_=ARRAY(sa.Uuid))
            await session.execute(sa.delete(self._table).where(self._table.c.id == sa.any_(sent)))

    async def _measure_backlog(self, session: AsyncSession, taken: int) -> None:
        """Counting reads every row: seldom, and no further than to the bound."""
        if taken < BATCH:
            self.backlog = taken + len(self._parked)
        elif time.monotonic() >= self._count_at:
            rows = sa.select(sa.literal(1)).select_from(self._table).limit(COUNTED_AT_MOST).subquery()
            self.backlog = (await session.execute(sa.select(sa.func.count()).select_from(rows))).scalar_one()
            self._count_at = time.monotonic() + COUNT_SECONDS
        _BACKLOG.labels(self.name).set(self.backlog)

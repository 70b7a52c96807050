"""Reads the queues behind our shovels, one for each open link, on a connection of its own to the border vhost."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs, names
from services.chassis.connecting import connected
from services.chassis.database import Database
from services.chassis.database_listener import Listener
from services.chassis.handling import is_database_away
from services.federation import receiving, sorting
from services.federation.border import Border
from services.federation.domain import LISTENING
from services.federation.receiving import LinkIsGone
from services.federation.sorting import Desk
from services.federation.tables import LINKS_CHANNEL, broker_orders, links

PREFETCH = 400
BATCH = 200
LOOK_SECONDS = 2.0
SETUP_SECONDS = 10.0
RETRY_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0
TRIES = 4
"""For an error that nobody foresaw."""

_log = logs.get(__name__)


class Inbound:
    """Consumes `inbound.<link id>` of every open link until cancelled; survives outages of broker and database."""

    def __init__(self, db: Database, broker_url: str, *, border: Border, now: Callable[[], datetime]) -> None:
        self._db = db
        self._url = broker_url
        self._border = border
        self._now = now
        self._listener = Listener(db.url, LINKS_CHANNEL)
        self._readers: dict[UUID, asyncio.Task[None]] = {}
        self._outage = logs.Outage()

    async def run(self) -> None:
        listening = asyncio.create_task(self._listener.run(), name="inbound-listener")
        try:
            while True:
                try:
                    await self._read_until_lost()
                except (*CONNECTION_EXCEPTIONS, OSError, SQLAlchemyError, TimeoutError) as error:
                    if self._outage.goes_on():
                        text = f"{type(error).__name__}: {error}".splitlines()[0]
                        _log.warning("inbound-interrupted", error=text)
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _read_until_lost(self) -> None:
        async with asyncio.timeout(10):
            connection = await connected(self._url)
        try:
            # aio-pika's `is_closed` stays false when it was the broker that closed
            while connection.connected.is_set():
                await self._attend(connection)
                if self._outage.is_over():
                    _log.info("inbound-resumed")
                await self._listener.wait(LOOK_SECONDS)
        finally:
            await self._dismiss(list(self._readers))
            await connection.close()

    async def _attend(self, connection: AbstractConnection) -> None:
        """A reader for each open link, none for the others."""
        async with self._db.reading() as session:
            query = (
                sa.select(links.c.id)
                .join(broker_orders, broker_orders.c.link_id == links.c.id)
                # asking for a queue that is only being made costs the connection (RabbitMQ 3.10: INTERNAL_ERROR)
                .where(links.c.status.in_(LISTENING), broker_orders.c.done_generation > 0)
            )
            wanted = set((await session.execute(query)).scalars().all())
        ended = [link_id for link_id, task in self._readers.items() if task.done() or link_id not in wanted]
        await self._dismiss(ended)
        for link_id in wanted - self._readers.keys():
            self._readers[link_id] = asyncio.create_task(self._read(connection, link_id), name=f"inbound {link_id}")

    async def _dismiss(self, ended: list[UUID]) -> None:
        tasks = [self._readers.pop(link_id) for link_id in ended]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, connection: AbstractConnection, link_id: UUID) -> None:
        """Read one queue; ends when it is not there (yet) or lost. `_attend` begins again."""
        try:
            async with asyncio.timeout(SETUP_SECONDS):
                opened = await connection.channel(publisher_confirms=False)
            async with opened as channel:
                arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

                def end(*_why: object) -> None:
                    arrived.put_nowait(None)

                channel.close_callbacks.add(end)
                async with asyncio.timeout(SETUP_SECONDS):
                    underlay = await channel.get_underlay_channel()
                    underlay.on_consumer_cancel_callbacks.add(end)  # the queue was deleted, and may be made again
                    await channel.set_qos(prefetch_count=PREFETCH)
                    queue = await channel.get_queue(names.inbound(str(link_id)), ensure=False)
                    await queue.consume(arrived.put)
                await self._answer(link_id, arrived)
        except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
            _log.info("inbound-queue-not-read", link=str(link_id), error=repr(error))

    async def _answer(self, link_id: UUID, arrived: asyncio.Queue[AbstractIncomingMessage | None]) -> None:
        """Take what arrives, up to 200 messages in one transaction, until the channel is lost (None)."""
        lost = False
        while not lost and (first := await arrived.get()) is not None:
            batch = [first]
            while len(batch) < BATCH and not arrived.empty():
                more = arrived.get_nowait()
                if more is None:
                    lost = True
                    break
                batch.append(more)
            await self._take(link_id, [message.body for message in batch])
            await batch[-1].ack(multiple=True)

    def _desk(self) -> Desk:
        bounds = self._border.settings.hub_bounds
        return Desk(db=self._db, own=self._border.keys, now=self._now(), bounds=bounds)

    async def _take(self, link_id: UUID, bodies: list[bytes]) -> None:
        """Return once all of them have their effect or their refusal; one by one when together they fail."""
        try:
            await sorting.take(self._desk(), link_id, bodies)
        except LinkIsGone:
            return
        except Exception as error:  # noqa: BLE001 - a peer's message must not stop the queue
            _log.warning("border-batch-failed", link=str(link_id), size=len(bodies), error=repr(error))
            for body in bodies:
                await self._take_alone(link_id, body)

    async def _take_alone(self, link_id: UUID, body: bytes) -> None:
        """Carefully: what cannot be applied is kept aside with its reason. Only an absent database is waited for."""
        pause, tries = RETRY_SECONDS, 0
        while True:
            try:
                await sorting.take(self._desk(), link_id, [body], careful=True)
            except LinkIsGone:
                return None
            except Exception as error:  # noqa: BLE001 - a peer's message must not stop the queue
                _log.error("border-message-waits", link=str(link_id), error=repr(error))
                if not is_database_away(error) and (tries := tries + 1) >= TRIES:
                    return await self._give_up(link_id, body, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return None

    async def _give_up(self, link_id: UUID, body: bytes, error: Exception) -> None:
        try:
            await self._db.run(receiving.give_up, link_id, body, error, own=self._border.keys, now=self._now())
        except LinkIsGone:
            return
        except Exception as again:  # noqa: BLE001 - the log of its origin still has it, and we ask for what is missing
            _log.error("border-message-not-kept", link=str(link_id), error=repr(again))

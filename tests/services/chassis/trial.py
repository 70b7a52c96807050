"""A small instance of two services with nothing but outbox, inbox and one table of effects."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote

import aio_pika
import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services import provision, secrets_files
from services.chassis import inbox, names, outbox
from services.chassis.database import Database
from services.chassis.messaging import Consumers, consuming
from services.chassis.relay import outbox_relay
from services.chassis.settings import ServiceSettings
from tests.servers import Servers

SHORT_DELAYS = {delay: 0.1 * (1 + place) for place, delay in enumerate(names.RETRY_DELAYS)}

METADATA = sa.MetaData()
outbox.outbox_table(METADATA)
inbox.inbox_table(METADATA)
EFFECTS = sa.Table("effects", METADATA, sa.Column("what", sa.Text, nullable=False))


class Probed(Event):
    type: ClassVar[str] = "booking.probed.v1"

    what: str

    @property
    def subject(self) -> str:
        return self.what


class Runs(Protocol):
    async def run(self) -> None: ...


@dataclass
class Trial:
    """One instance: `booking` says `Probed`, `notify` listens."""

    settings: ServiceSettings
    plan: provision.Plan
    booking: Database
    notify: Database
    consumers: Consumers = field(default_factory=lambda: Consumers("notify"))

    async def say(self, *what: str) -> None:
        async with self.booking.transaction() as session:
            await outbox.add(session, *(Probed(what=one) for one in what))

    async def effects(self) -> list[str]:
        async with self.notify.reading() as session:
            return sorted((await session.execute(sa.select(EFFECTS.c.what))).scalars())

    async def unsent(self) -> int:
        async with self.booking.reading() as session:
            return (await session.execute(sa.text("SELECT count(*) FROM outbox"))).scalar_one()

    async def waiting(self, queue: str) -> int:
        """Messages ready in a queue of `notify`."""
        async with await aio_pika.connect(self.settings.broker_url("notify")) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def publish(self, *, body: bytes, headers: dict[str, object], key: str = Probed.type) -> None:
        """Publish as `booking` without the relay."""
        async with await aio_pika.connect(self.settings.broker_url("booking")) as connection:
            channel = await connection.channel(on_return_raises=True)
            exchange = await channel.get_exchange(names.EVENTS, ensure=False)
            await exchange.publish(aio_pika.Message(body, headers=headers), key)  # pyright: ignore[reportArgumentType]

    async def shut_database(self, service: str) -> None:
        """Throw `service` out of its database and let it in no more."""
        role = names.database(self.settings.instance, service)
        admin = await asyncpg.connect(self.plan.admin_database_url)
        await admin.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT 0')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
        await admin.close()

    async def open_database(self, service: str) -> None:
        admin = await asyncpg.connect(self.plan.admin_database_url)
        await admin.execute(f'ALTER ROLE "{names.database(self.settings.instance, service)}" CONNECTION LIMIT -1')
        await admin.close()

    @asynccontextmanager
    async def relaying(self) -> AsyncGenerator[None]:
        async with running(outbox_relay("booking", self.settings, self.booking)):
            yield

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        listener = consuming(self.consumers, self.settings, self.notify)
        async with running(listener):
            await until(lambda: _now(listener.connected))
            yield

    def count_effects(self) -> None:
        """Register the plain handler: one row of `effects` for each event."""

        @self.consumers.on(Probed)
        async def note_effect(event: Probed, session: AsyncSession) -> None:
            await session.execute(EFFECTS.insert().values(what=event.what))


async def _now(value: bool) -> bool:  # noqa: FBT001 - adapts a plain value to `until`
    return value


@asynccontextmanager
async def running(loop: Runs) -> AsyncGenerator[None]:
    """Run `loop` while the block runs."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> float:
    """Wait for `condition`. Returns the seconds it took; fails after `seconds`."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, "it did not come true"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def admin_database_url(servers: Servers) -> str:
    user, password = quote(servers.admin_user, safe=""), quote(servers.admin_password, safe="")
    return f"postgresql://{user}:{password}@{servers.postgres_host}:{servers.postgres_port}/postgres"


def admin_broker_url(servers: Servers) -> str:
    user, password = quote(servers.broker_admin_user, safe=""), quote(servers.broker_admin_password, safe="")
    return servers.management_url.replace("://", f"://{user}:{password}@")


@asynccontextmanager
async def make_trial(
    servers: Servers, directory: Path, *, services: Sequence[str] = ("booking", "notify")
) -> AsyncGenerator[Trial]:
    instance = f"trial-{secrets.token_hex(4)}"
    secrets_files.make_missing(directory)
    plan = provision.Plan(
        instance=instance,
        secrets_dir=directory,
        admin_database_url=admin_database_url(servers),
        admin_broker_url=admin_broker_url(servers),
        subscriptions={service: [Probed.type] if service == "notify" else [] for service in services},
        retry_delays=SHORT_DELAYS,
        migrate=False,
    )
    await provision.provision(plan)
    settings = ServiceSettings(
        instance=instance,
        secrets_dir=directory,
        db_host=servers.postgres_host,
        db_port=servers.postgres_port,
        broker_host=servers.amqp_host,
        broker_port=servers.amqp_port,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(provision.remove, plan)
        for service in services:
            owner = Database(settings.owner_database_url(service))
            async with owner.engine.begin() as connection:
                await connection.run_sync(METADATA.create_all)
            await owner.close()
        booking, notify = (Database(settings.database_url(service)) for service in ("booking", "notify"))
        stack.push_async_callback(booking.close)
        stack.push_async_callback(notify.close)
        yield Trial(settings, plan, booking, notify)

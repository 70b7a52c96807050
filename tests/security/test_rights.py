"""Each service reaches its own database, its own queues and its own topics, and nothing of anybody else's."""

import aio_pika
import asyncpg
import pytest
from aio_pika.exceptions import AMQPError

from contracts.registry import EVENTS
from services.chassis import names
from tests.instances import Instance

CHANGES = (
    "CREATE TABLE more (x int)",
    "CREATE SCHEMA more",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "ALTER TABLE outbox ADD more int",
    "DROP TABLE outbox",
    "TRUNCATE outbox",
    "ALTER TABLE outbox OWNER TO CURRENT_USER",
    "CREATE ROLE more",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "SET ROLE {owner}",
    "SET session_replication_role = replica",
    "COPY outbox TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
)


async def connect(instance: Instance, service: str, database: str) -> asyncpg.Connection:
    settings = instance.settings()
    return await asyncpg.connect(
        host=settings.db_host,
        port=settings.db_port,
        user=names.database(instance.name, service),
        password=settings.secret(f"db_{service}"),
        database=database,
    )


async def test_a_service_reaches_its_own_database_alone_and_changes_rows_alone(instance: Instance) -> None:
    for service in names.SERVICES:
        for other in names.SERVICES:
            if other != service:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connect(instance, service, names.database(instance.name, other))
        connection = await connect(instance, service, names.database(instance.name, service))
        try:
            for statement in CHANGES:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement.format(owner=names.owner_role(instance.name, service)))
            assert await connection.fetchval("SELECT count(*) FROM outbox") == 0
        finally:
            await connection.close()


async def _is_refused(instance: Instance, service: str, *, exchange: str, key: str, user_id: str | None = None) -> bool:
    async with await aio_pika.connect(instance.settings().broker_url(service)) as connection:
        channel = await connection.channel(on_return_raises=True)
        where = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        try:
            await where.publish(aio_pika.Message(b"{}", user_id=user_id), key, mandatory=False)
        except AMQPError:
            return True
    return False


async def test_a_service_says_its_own_topics_alone(instance: Instance) -> None:
    """Nobody speaks for another service, past the exchange, or into another's retries and dead letters."""
    for service in names.SERVICES:
        for other in names.SERVICES:
            key = next(kind for kind in EVENTS if kind.startswith(f"{other}."))
            refused = await _is_refused(instance, service, exchange=names.EVENTS, key=key)
            assert refused == (other != service), (service, key)
            if other != service:
                assert await _is_refused(instance, service, exchange=names.retry_exchange(other), key="x")
                assert await _is_refused(instance, service, exchange=names.dead(other), key="x")
        assert await _is_refused(instance, service, exchange="", key=names.dead("notify"))
        somebody = names.broker_user(instance.name, "identity" if service != "identity" else "notify")
        own = next(kind for kind in EVENTS if kind.startswith(f"{service}."))
        assert await _is_refused(instance, service, exchange=names.EVENTS, key=own, user_id=somebody)


async def test_a_service_reads_its_own_queues_alone_and_makes_none(instance: Instance) -> None:
    for service in names.SERVICES:
        for other in names.SERVICES:
            if other == service:
                continue
            async with await aio_pika.connect(instance.settings().broker_url(service)) as connection:
                channel = await connection.channel()
                queue = await channel.get_queue(names.dead(other), ensure=False)
                with pytest.raises(AMQPError):
                    await queue.get(fail=False)
        async with await aio_pika.connect(instance.settings().broker_url(service)) as connection:
            channel = await connection.channel()
            with pytest.raises(AMQPError):
                await channel.declare_queue(f"{service}.more")


async def test_only_federation_enters_the_border(instance: Instance) -> None:
    for service in names.SERVICES:
        url = instance.settings().broker_url(service, border=True)
        if service == "federation":
            await (await aio_pika.connect(url)).close()
        else:
            with pytest.raises((AMQPError, OSError)):
                await aio_pika.connect(url)

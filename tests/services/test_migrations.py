"""What migrations make is what the tables say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import services.booking.tables
import services.catalog.tables
import services.federation.tables
import services.identity.tables
import services.matching.tables
import services.notify.tables
from services.chassis import schema_version
from tests.instances import Instance

SERVICES = Path(__file__).resolve().parents[2] / "services"
METADATA: dict[str, MetaData] = {
    "identity": services.identity.tables.metadata,
    "catalog": services.catalog.tables.metadata,
    "booking": services.booking.tables.metadata,
    "matching": services.matching.tables.metadata,
    "notify": services.notify.tables.metadata,
    "federation": services.federation.tables.metadata,
}


def differences(connection: Connection, service: str) -> list[object]:
    """Between the database and the tables."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, METADATA[service])


@pytest.mark.parametrize("service", METADATA)
async def test_database_after_migrations_equals_the_tables(service: str, instance: Instance) -> None:
    engine = create_async_engine(instance.settings().owner_database_url(service), poolclass=NullPool)

    async with engine.connect() as connection:
        found = await connection.run_sync(differences, service)
        version = await connection.run_sync(
            lambda c: c.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        )
    await engine.dispose()
    assert found == []
    assert version == schema_version.newest(service)


_LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
        AND relname <> 'alembic_version'
    UNION ALL
    SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


async def test_every_migration_can_be_undone_and_done_again(instance: Instance) -> None:
    """A version that went wrong can be left: `alembic downgrade` leaves nothing behind, and `upgrade` makes it anew."""
    for service in METADATA:
        engine = create_async_engine(instance.settings().owner_database_url(service), poolclass=NullPool)
        config = Config()
        config.set_main_option("script_location", str(SERVICES / service / "migrations"))

        def move(connection: Connection, to: Callable[[Config, str], object], version: str, config: Config) -> None:
            config.attributes["connection"] = connection
            to(config, version)

        async with engine.begin() as connection:
            await connection.run_sync(move, command.downgrade, "base", config)
            left = list((await connection.exec_driver_sql(_LEFT)).scalars())
            assert left == [], service
        async with engine.begin() as connection:
            await connection.run_sync(move, command.upgrade, "head", config)
            assert await connection.run_sync(differences, service) == [], service
        await engine.dispose()

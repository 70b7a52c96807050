"""What migrations make is what the tables say."""

import pytest
from alembic.autogenerate import compare_metadata
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

METADATA: dict[str, MetaData] = {
    "identity": services.identity.tables.metadata,
    "catalog": services.catalog.tables.metadata,
    "booking": services.booking.tables.metadata,
    "matching": services.matching.tables.metadata,
    "notify": services.notify.tables.metadata,
    "federation": services.federation.tables.metadata,
}


@pytest.mark.parametrize("service", METADATA)
async def test_database_after_migrations_equals_the_tables(service: str, instance: Instance) -> None:
    engine = create_async_engine(instance.settings().owner_database_url(service), poolclass=NullPool)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, METADATA[service])

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
        version = await connection.run_sync(
            lambda c: c.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        )
    await engine.dispose()
    assert found == []
    assert version == schema_version.newest(service)

"""Alembic, run inside our own event loop over asyncpg."""

from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import URL, Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_SERVICES = Path(__file__).resolve().parent.parent


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SERVICES / service / "migrations"))
    return config


def run(metadata: MetaData) -> None:
    """For a service's `migrations/env.py`: run the scripts on the connection that `upgrade` opened."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


async def upgrade(service: str, url: URL) -> None:
    """Bring the database at `url` (as the role that owns its tables) to the newest version of `service`."""
    engine = create_async_engine(url, poolclass=NullPool)
    config = _config(service)

    def work(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    try:
        async with engine.begin() as connection:
            await connection.run_sync(work)
    finally:
        await engine.dispose()

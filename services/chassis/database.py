"""A service's own PostgreSQL database: one engine, transactions opened at the edge."""

import asyncio
import random
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request
from sqlalchemy import URL, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from services.chassis import audit

T = TypeVar("T")
P = ParamSpec("P")

_SERIALIZATION_FAILURE = "40001"
_DEADLOCK = "40P01"
_ATTEMPTS = 8


class Database:
    """The pool of connections to one database: `pool_size` are kept once they were needed, `max_overflow` closed again.

    With two kept and four closed, beside people who wrote without a pause each write had two or three connections made
    anew, each with nothing prepared: two thirds of what PostgreSQL did.

    `connect_seconds`: how long a connection may take to be made before the request that needs it is refused.
    `plan_cache_mode`: PostgreSQL's, `force_custom_plan` where good plans depend on what is asked.
    """

    def __init__(
        self,
        url: URL,
        *,
        pool_size: int = 4,
        max_overflow: int = 2,
        connect_seconds: float = 5,
        name: str = "maillage",
        plan_cache_mode: str = "auto",
    ) -> None:
        self.url = url
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._pool = {"pool_size": pool_size, "max_overflow": max_overflow}
        self._connect_seconds = connect_seconds
        common = {"application_name": name, "jit": "off"}
        self.engine = self._connected({**common, "plan_cache_mode": plan_cache_mode})
        self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        one_by_one = {f"enable_{way}": "off" for way in ("seqscan", "hashjoin", "mergejoin", "memoize")}
        kept = self._connected({**common, **one_by_one, "plan_cache_mode": "force_generic_plan"})
        self.planned_once = kept.execution_options(isolation_level="AUTOCOMMIT")

    def _connected(self, settings: dict[str, str]) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            **self._pool,
            pool_timeout=10,
            hide_parameters=True,  # errors are logged: names, addresses and mailed links are not
            connect_args={
                "timeout": self._connect_seconds,
                "prepared_statement_cache_size": 400,
                "server_settings": settings,
            },
        )
        event.listen(engine.sync_engine, "checkout", _must_be_open)
        event.listen(engine.sync_engine, "connect", self._remember)
        return engine

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """One transaction: committed when the block ends well, rolled back when it raises.

        What a coordinator or administrator changes in it is said for the trail (`audit`).
        """
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session
            await audit.record(session)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that cannot write."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncGenerator[AsyncSession]:
        """A session in which each statement is a transaction of its own: one round trip instead of three."""
        async with AsyncSession(self._autocommit, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def asking(self) -> AsyncGenerator[AsyncSession]:
        """As `autocommit`, for statements whose one good plan goes by indexes, whatever is asked and however little.

        Each connection makes it once; a plan for hundreds of rows can take as long as reading them.
        """
        async with AsyncSession(self.planned_once, expire_on_commit=False) as session:
            yield session

    async def run(
        self, command: Callable[Concatenate[AsyncSession, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `command(session, …)` in a transaction; again when PostgreSQL asks for it (40001, 40P01)."""
        for attempt in range(_ATTEMPTS):
            try:
                async with self.transaction() as session:
                    return await command(session, *args, **kwargs)
            except DBAPIError as error:
                if attempt == _ATTEMPTS - 1 or not wants_retry(error):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads retries, no secret
        raise AssertionError("unreachable")

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()
        await self.planned_once.dispose()

    def abandon(self) -> None:
        """Hang up on a server that does not answer: taking leave would wait two seconds for each connection."""
        for connection in list(self._open):
            connection.terminate()

    def _remember(self, driver: Any, _entry: ConnectionPoolEntry) -> None:
        self._open.add(driver.driver_connection)


def _must_be_open(driver: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Have the pool open another connection in place of one that the server has closed, without a round trip."""
    if driver.driver_connection.is_closed():
        raise DisconnectionError


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's error code behind `error`."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


def wants_retry(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when it is run again."""
    return sqlstate(error) in {_SERIALIZATION_FAILURE, _DEADLOCK}


async def _database_of(request: Request) -> Database:
    database = request.app.state.database
    if not isinstance(database, Database):
        raise TypeError("this service has no database")
    return database


DatabaseDep = Annotated[Database, Depends(_database_of)]
"""For an endpoint: `db: DatabaseDep`, then `async with db.transaction() as session:`.

Dependencies are coroutines even where they wait for nothing: FastAPI runs plain functions in threads, which costs each
request more than its work.
"""

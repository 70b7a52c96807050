"""Reading and holding up databases from a test, in plain calls: nothing of the services' own code is used."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")
Row = dict[str, Any]

HELD = 7_121_983
"""The advisory lock by which a test holds a service up."""

_GATE = f"""
CREATE OR REPLACE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN PERFORM pg_advisory_xact_lock({HELD}); RETURN coalesce(NEW, OLD); END $$
"""


class Sql:
    """One connection to one database, with an event loop of its own. `url`: postgresql://…"""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection = self._run(asyncpg.connect(url))

    def rows(self, query: str, *values: Any) -> list[Row]:
        return [dict(row) for row in self._run(self._connection.fetch(query, *values))]

    def value(self, query: str, *values: Any) -> Any:
        return self._run(self._connection.fetchval(query, *values))

    def execute(self, statement: str, *values: Any) -> None:
        self._run(self._connection.execute(statement, *values))

    def waiting(self) -> list[str]:
        """The statements that wait in this database for the test's lock."""
        found = self.rows(
            """
            SELECT query FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE locktype = 'advisory' AND NOT granted AND objid = $1 AND datname = current_database()
            """,
            HELD,
        )
        return [row["query"] for row in found]

    @contextmanager
    def holding_up(self, what: str, table: str, *, when: str = "true") -> Generator[None]:
        """Whoever does `what` ("INSERT", "DELETE") to rows of `table` waits inside the statement until the block ends.

        `when`: an SQL condition on NEW or OLD.
        """
        self.execute(_GATE)
        self.execute(
            f"CREATE TRIGGER held_up BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION held_up()"
        )
        self.execute("SELECT pg_advisory_lock($1)", HELD)
        try:
            yield
        finally:
            self.execute("SELECT pg_advisory_unlock($1)", HELD)
            self.execute(f"DROP TRIGGER held_up ON {table}")

    def close(self) -> None:
        if self._connection.is_closed():
            self._loop.close()
            return
        self._connection.terminate()
        self._run(asyncio.sleep(0))
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

"""Large statements that are kept for their next use: as the driver's text, since what composes them is far larger.

People combine filters in hundreds of ways. SQLAlchemy keeps 300 kB for each statement that is composed, half of it for
one that is given as a text: soon most of what the service weighs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

_DIALECT = asyncpg.dialect()

Processor = Callable[[Any], Any]


@dataclass(frozen=True)
class Kept:
    """A statement for the driver. `names`: of its parameters, in order; `given`: the values it was composed with.

    Columns come as the driver hands them over: a JSON is its text.
    """

    text: str
    names: tuple[str, ...]
    given: Mapping[str, Any]
    processors: Mapping[str, Processor]

    async def rows(self, session: AsyncSession, values: Mapping[str, Any]) -> Sequence[sa.RowMapping]:
        """What it finds. Raises KeyError when a value is missing."""
        connection = await session.connection()
        found = await connection.exec_driver_sql(self.text, tuple(self._value(name, values) for name in self.names))
        return found.mappings().all()

    def _value(self, name: str, values: Mapping[str, Any]) -> Any:
        value = values[name] if name in values else self.given[name]
        processor = self.processors.get(name)
        return value if processor is None else processor(value)


def kept(statement: sa.Select[*tuple[Any, ...]]) -> Kept:
    """The same statement. Raises ValueError for one whose text depends on its values (`IN` with a list)."""
    compiled = statement.compile(dialect=_DIALECT)
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise ValueError("this statement has a text of its own for each use")
    names = dict(compiled.bind_names)
    processors = {name: bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for bind, name in names.items()}
    return Kept(
        text=compiled.string,
        names=tuple(compiled.positiontup or ()),
        given={name: bind.value for bind, name in names.items() if not bind.required},
        processors={name: processor for name, processor in processors.items() if processor is not None},
    )

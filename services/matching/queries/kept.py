"""Large statements that are kept for their next use: as texts, since what they were composed of is far larger.

People combine filters in hundreds of ways; 300 kB for each of them would soon be most of what the service weighs.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.sql.selectable import TextualSelect


class _Untyped(PGDialect):
    """Parameters without their types, which the text has anyway."""

    bind_typing = BindTyping.NONE
    supports_statement_cache = False


_DIALECT = _Untyped(paramstyle="named")


def kept(statement: sa.Select[*tuple[Any, ...]]) -> TextualSelect:
    """The same statement, with its parameters and columns. A value that it was composed with is its parameter's."""
    compiled = statement.compile(dialect=_DIALECT)
    given = [
        sa.bindparam(name, bind.value, type_=bind.type, required=bind.required)
        for bind, name in compiled.bind_names.items()
    ]
    columns = [sa.column(column.name, column.type) for column in statement.selected_columns]
    return sa.text(compiled.string).bindparams(*given).columns(*columns)

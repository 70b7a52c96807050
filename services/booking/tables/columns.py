"""What every table of booking is made with."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.engine import Dialect

from services.booking.domain.spans import Span
from services.chassis.idempotency import idempotency_table
from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table

metadata = sa.MetaData()
outbox_table(metadata)
inbox_table(metadata)
idempotency_table(metadata)
pace_table(metadata)

OURS = ""
"""What stands for our own origin in a key (a key has no NULL)."""


class SpanType(sa.types.TypeDecorator[Span]):
    """A `Span` as tstzrange `[start, end)`."""

    impl = TSTZRANGE
    cache_ok = True

    def process_bind_param(self, value: Span | None, dialect: Dialect) -> Range[datetime] | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Range(value.start, value.end, bounds="[)")

    def process_result_value(self, value: Range[datetime] | None, dialect: Dialect) -> Span | None:  # noqa: ARG002 - same
        if value is None or value.lower is None or value.upper is None:
            return None
        return Span(value.lower, value.upper)


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    """A column that holds an instant (timestamptz)."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)

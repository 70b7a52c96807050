"""Series of bookings."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.booking.domain.series import Series
from services.booking.tables.bookings import mapping
from services.booking.tables.columns import instant, metadata

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("offer_id", sa.Uuid, nullable=False),
    sa.Column("borrower_member_id", sa.Uuid, nullable=False),
    sa.Column("rrule", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("exceptions", ARRAY(sa.Date), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("created_at"),
    instant("changed_at"),
    sa.CheckConstraint("status IN ('pending', 'confirmed', 'declined', 'expired', 'cancelled')", name="series_status"),
)
"""The rule that bookings were made by; `bookings.series_id` says which."""

mapping.map_imperatively(Series, series)

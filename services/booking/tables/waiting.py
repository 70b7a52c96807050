"""The waiting lists of our resources."""

import sqlalchemy as sa

from services.booking.domain.waiting import Entry
from services.booking.tables.bookings import mapping
from services.booking.tables.columns import instant, metadata

waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("offer_id", sa.Uuid, nullable=False),
    sa.Column("offer_title", sa.Text, nullable=False),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("member_name", sa.Text, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("accept_minutes", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("passed_over", sa.Boolean, nullable=False),
    instant("kept_until", nullable=True),
    instant("accept_by", nullable=True),
    sa.Column("booking_id", sa.Uuid),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("created_at"),
    instant("changed_at"),
    sa.CheckConstraint("starts_at < ends_at AND quantity >= 1", name="waiting_wish"),
    sa.CheckConstraint(
        "status <> 'offered' OR (accept_by IS NOT NULL AND booking_id IS NOT NULL)", name="waiting_offered"
    ),
    sa.Index("waiting_open", "offer_id", "number", postgresql_where=sa.text("status IN ('waiting', 'offered')")),
    sa.Index("waiting_of_member", "member_id", "number"),
)

places_freed = sa.Table(
    "places_freed",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    instant("since"),
)
"""Resources of which something may have become free while somebody waits: written by triggers (migration 0006)."""

mapping.map_imperatively(Entry, waiting)

"""The accounts: a line for every use, kept longer than the booking itself."""

import sqlalchemy as sa

from services.booking.tables.columns import instant, metadata

uses = sa.Table(
    "uses",
    metadata,
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("borrower_member_id", sa.Uuid),
    sa.Column("borrower_name", sa.Text),
    sa.Column("borrower_peer_id", sa.Text),
    sa.Column("borrower_peer_name", sa.Text),
    sa.Column("borrower_pseudonym", sa.Text),
    sa.Column("owner_member_id", sa.Uuid),
    sa.Column("owner_name", sa.Text),
    sa.Column("owner_peer_id", sa.Text),
    sa.Column("owner_peer_name", sa.Text),
    sa.Column("offer_id", sa.Uuid, nullable=False),
    sa.Column("offer_title", sa.Text, nullable=False),
    sa.Column("circle_id", sa.Uuid),
    sa.Column("circle_name", sa.Text),
    instant("started_at"),
    instant("ended_at"),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("value", sa.Numeric(14, 2)),
    sa.Column("unit", sa.Text),
    instant("recorded_at"),
    sa.CheckConstraint("kind IN ('use', 'no_show')", name="uses_kind"),
    sa.CheckConstraint("started_at <= ended_at AND minutes >= 0", name="uses_duration"),
    sa.CheckConstraint("(value IS NULL) = (unit IS NULL) AND value >= 0", name="uses_value"),
    sa.CheckConstraint("unit IN ('EUR', 'minutes')", name="uses_unit"),
    sa.CheckConstraint("kind = 'use' OR (value IS NULL AND minutes = 0)", name="uses_nobody_came"),
    sa.CheckConstraint("borrower_peer_id IS NULL OR owner_peer_id IS NULL", name="uses_one_side_is_ours"),
    sa.Index("uses_by_end", "ended_at", "booking_id"),
    sa.Index("uses_of_borrower", "borrower_member_id", "ended_at"),
    sa.Index("uses_of_owner", "owner_member_id", "ended_at"),
)

"""Capacity held by the database, holds, changes of period, further terms; several decisions in one round trip."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_OCCUPYING = "resource_origin IS NULL AND status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')"
_FUNCTIONS = [Path(__file__).with_name(name) for name in ("0002_functions.sql", "bind_booking.sql")]
"""`bind_booking` stands there once, as it is now: what it names of later migrations is looked up when it runs."""


def upgrade() -> None:
    _columns()
    _never_overlap("CASE WHEN exclusive THEN 0 END")
    _changes()
    op.create_table(
        "busy_to_tell",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.create_table(
        "category_quotas",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("category", "scope", "per", "unit")),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("category", "scope", "per", "unit"),
    )
    for file in _FUNCTIONS:
        for statement in file.read_text(encoding="utf-8").split("\n\n\n"):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER bookings_never_exceed ON bookings")
    op.execute("DROP TRIGGER changes_never_exceed ON changes")
    op.execute("DROP TRIGGER capacity_covers_bookings ON resources")
    for function in (
        "bind_booking",
        "wake",
        "bookings_never_exceed",
        "capacity_covers_bookings",
        "booked_peak",
        "booked_levels",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("busy_to_tell")
    op.drop_table("category_quotas")
    op.drop_table("changes")
    op.drop_constraint("bookings_never_overlap", "bookings")
    op.create_exclude_constraint(
        "bookings_never_overlap",
        "bookings",
        ("offer_id", "="),
        ("occupied", "&&"),
        using="gist",
        where=sa.text(f"exclusive AND {_OCCUPYING}"),
    )
    for name in ("circle_id", "circle_name", "price", "instructions", "cancel_notice_minutes", "approved_by"):
        op.drop_column("bookings", name)
    op.drop_column("resources", "terms")
    op.drop_column("peer_busy", "partly")
    op.drop_column("circles", "name")
    op.drop_column("offers", "kind")
    op.drop_column("offers", "category")


def _columns() -> None:
    op.add_column("resources", sa.Column("terms", postgresql.JSONB(), nullable=False, server_default="{}"))
    op.add_column("peer_busy", sa.Column("partly", postgresql.JSONB(), nullable=False, server_default="[]"))
    op.add_column("circles", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("offers", sa.Column("kind", sa.Text(), nullable=False, server_default=""))
    op.add_column("offers", sa.Column("category", sa.Text(), nullable=False, server_default=""))
    for column in (
        sa.Column("circle_id", sa.Uuid(), nullable=True),
        sa.Column("circle_name", sa.Text(), nullable=True),
        sa.Column("price", postgresql.JSONB(), nullable=True),
        sa.Column("instructions", sa.Text(), nullable=False, server_default=""),
        sa.Column("cancel_notice_minutes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("approved_by", postgresql.ARRAY(sa.Uuid()), nullable=False, server_default="{}"),
    ):
        op.add_column("bookings", column)
    held_ends = "NOT (resource_origin IS NULL AND status = 'held') OR decide_by IS NOT NULL"
    op.create_check_constraint("bookings_held_ends", "bookings", held_ends)
    op.create_check_constraint("bookings_quantity", "bookings", "status = 'declined' OR quantity >= 1")


def _never_overlap(lane: str) -> None:
    op.drop_constraint("bookings_never_overlap", "bookings")
    op.execute(
        "ALTER TABLE bookings ADD CONSTRAINT bookings_never_overlap "
        f"EXCLUDE USING gist (offer_id WITH =, occupied WITH &&, ({lane}) WITH =) WHERE ({_OCCUPYING})"
    )


def _changes() -> None:
    op.create_table(
        "changes",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occupied", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_by_owner", sa.Boolean(), nullable=False),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("NOT isempty(occupied) AND starts_at < ends_at", name="changes_period"),
        sa.CheckConstraint("quantity >= 1", name="changes_quantity"),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("booking_id"),
    )
    op.create_index("changes_by_span", "changes", ["offer_id", "occupied"], postgresql_using="gist")
    op.create_index("changes_waiting", "changes", ["decide_by"])

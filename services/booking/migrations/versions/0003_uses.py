"""The life of a use, and the accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("resources", sa.Column("check_in", sa.Text(), nullable=False, server_default="none"))
    op.add_column("resources", sa.Column("grace_minutes", sa.Integer(), nullable=False, server_default="30"))
    op.create_check_constraint(
        "resources_check_in", "resources", "check_in IN ('none', 'asked') AND grace_minutes >= 0"
    )
    op.add_column("bookings", sa.Column("grace_minutes", sa.Integer(), nullable=True))
    op.add_column("bookings", sa.Column("check_in_code", sa.Text(), nullable=True))
    op.add_column("bookings", sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("bookings", sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("bookings", sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "bookings_to_arrive",
        "bookings",
        ["starts_at"],
        postgresql_where=sa.text("status = 'confirmed' AND grace_minutes IS NOT NULL AND resource_origin IS NULL"),
    )
    op.create_index(
        "bookings_to_return",
        "bookings",
        ["ends_at"],
        postgresql_where=sa.text("status IN ('in_use', 'overdue') AND resource_origin IS NULL"),
    )
    _uses()


def downgrade() -> None:
    op.drop_table("uses")
    op.drop_index("bookings_to_return", "bookings")
    op.drop_index("bookings_to_arrive", "bookings")
    for column in ("checked_out_at", "checked_in_at", "wrong_codes", "check_in_code", "grace_minutes"):
        op.drop_column("bookings", column)
    op.drop_constraint("resources_check_in", "resources")
    op.drop_column("resources", "grace_minutes")
    op.drop_column("resources", "check_in")


def _uses() -> None:
    op.create_table(
        "uses",
        sa.Column("booking_id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("borrower_member_id", sa.Uuid(), nullable=True),
        sa.Column("borrower_name", sa.Text(), nullable=True),
        sa.Column("borrower_peer_id", sa.Text(), nullable=True),
        sa.Column("borrower_peer_name", sa.Text(), nullable=True),
        sa.Column("borrower_pseudonym", sa.Text(), nullable=True),
        sa.Column("owner_member_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("owner_peer_id", sa.Text(), nullable=True),
        sa.Column("owner_peer_name", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("offer_title", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Uuid(), nullable=True),
        sa.Column("circle_name", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("value", sa.Numeric(14, 2), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('use', 'no_show')", name="uses_kind"),
        sa.CheckConstraint("started_at <= ended_at AND minutes >= 0", name="uses_duration"),
        sa.CheckConstraint("(value IS NULL) = (unit IS NULL) AND value >= 0", name="uses_value"),
        sa.CheckConstraint("unit IN ('EUR', 'minutes')", name="uses_unit"),
        sa.CheckConstraint("kind = 'use' OR (value IS NULL AND minutes = 0)", name="uses_nobody_came"),
        sa.CheckConstraint("borrower_peer_id IS NULL OR owner_peer_id IS NULL", name="uses_one_side_is_ours"),
    )
    op.create_index("uses_by_end", "uses", ["ended_at", "booking_id"])
    op.create_index("uses_of_borrower", "uses", ["borrower_member_id", "ended_at"])
    op.create_index("uses_of_owner", "uses", ["owner_member_id", "ended_at"])

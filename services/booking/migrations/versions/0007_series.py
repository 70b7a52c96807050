"""Series: bookings that were made together by a rule."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_COLUMNS = ("series_id", "series_position", "series_size", "occurrence")


def upgrade() -> None:
    op.create_table(
        "series",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "offer_id", "borrower_member_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("rrule", "time_zone", "status")),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("starts_at", "ends_at", "created_at", "changed_at")
        ),
        sa.Column("exceptions", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'declined', 'expired', 'cancelled')", name="series_status"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, kind in zip(_COLUMNS, (sa.Uuid(), sa.Integer(), sa.Integer(), sa.DateTime(timezone=True)), strict=True):
        op.add_column("bookings", sa.Column(name, kind, nullable=True))
    op.create_check_constraint(
        "bookings_in_series",
        "bookings",
        "(series_id IS NULL) = (occurrence IS NULL) AND (series_id IS NULL) = (series_position IS NULL)"
        " AND (series_id IS NULL) = (series_size IS NULL)",
    )
    op.create_index(
        "bookings_of_series",
        "bookings",
        ["series_id", "occurrence"],
        unique=True,
        postgresql_where=sa.text("series_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("bookings_of_series", "bookings")
    op.drop_constraint("bookings_in_series", "bookings")
    for name in _COLUMNS:
        op.drop_column("bookings", name)
    op.drop_table("series")

"""What is asked across the border and counted there: changes of a booking, and calling it off."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COUNTERS = ("change_number", "change_decided", "withdrawal_number")


def upgrade() -> None:
    for name in _COUNTERS:
        op.add_column("bookings", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("bookings", sa.Column("change_reason", sa.Text(), nullable=True))
    op.create_table(
        "changes_abroad",
        sa.Column("booking_id", sa.Uuid(), sa.ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("starts_at", "ends_at", "decide_by", "asked_at")
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("booking_id"),
    )


def downgrade() -> None:
    op.drop_table("changes_abroad")
    for name in (*_COUNTERS, "change_reason"):
        op.drop_column("bookings", name)

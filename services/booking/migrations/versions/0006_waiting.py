"""Waiting lists, places that are kept for them, and the triggers that see what becomes free."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_HERE = Path(__file__).parent
_TRIGGERS = {
    "bookings_free_places": "bookings",
    "bookings_gone_free_places": "bookings",
    "changes_free_places": "changes",
    "resources_free_places": "resources",
    "offers_free_places": "offers",
}


def upgrade() -> None:
    _waiting()
    op.create_table(
        "places_freed",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.add_column("bookings", sa.Column("waiting_id", sa.Uuid(), nullable=True))
    op.create_index(
        "bookings_kept_for_line",
        "bookings",
        ["offer_id"],
        postgresql_where=sa.text("status = 'held' AND waiting_id IS NOT NULL"),
    )
    _execute(_HERE / "0006_functions.sql")


def downgrade() -> None:
    for trigger, table in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION note_places_freed")
    op.execute("DELETE FROM bookings WHERE status = 'held' AND waiting_id IS NOT NULL")
    op.drop_index("bookings_kept_for_line", "bookings")
    op.drop_column("bookings", "waiting_id")
    op.drop_table("places_freed")
    op.drop_table("waiting")


def _execute(statements: Path) -> None:
    for statement in statements.read_text(encoding="utf-8").split("\n\n\n"):
        op.execute(statement)


def _waiting() -> None:
    op.create_table(
        "waiting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("offer_title", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("member_name", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("accept_minutes", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("passed_over", sa.Boolean(), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accept_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at AND quantity >= 1", name="waiting_wish"),
        sa.CheckConstraint(
            "status <> 'offered' OR (accept_by IS NOT NULL AND booking_id IS NOT NULL)", name="waiting_offered"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "waiting_open",
        "waiting",
        ["offer_id", "number"],
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.create_index("waiting_of_member", "waiting", ["member_id", "number"])

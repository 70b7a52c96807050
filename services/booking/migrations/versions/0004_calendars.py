"""Calendar feeds, and members' calendars elsewhere."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_FUNCTIONS = Path(__file__).with_name("0004_functions.sql")


def upgrade() -> None:
    _feeds()
    _external_calendars()
    op.create_table(
        "external_busy",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("busy", postgresql.TSTZRANGE(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "busy"),
    )
    op.create_table(
        "resource_calendars",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("follows_calendar", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.create_index("resource_calendars_of_member", "resource_calendars", ["member_id"])
    for statement in _FUNCTIONS.read_text(encoding="utf-8").split("\n\n\n"):
        op.execute(statement)


def downgrade() -> None:
    arguments = "jsonb, jsonb, jsonb, bigint, integer, uuid"
    op.execute("DROP FUNCTION bind_booking")
    op.execute(f"ALTER FUNCTION bind_booking_here({arguments}) RENAME TO bind_booking")
    op.execute("DROP FUNCTION busy_elsewhere")
    for table in ("resource_calendars", "external_busy", "external_calendars", "feeds"):
        op.drop_table(table)


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('member', 'resource', 'busy', 'circle')", name="feeds_kind"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash", name="feeds_secret"),
        sa.UniqueConstraint("member_id", "kind", "subject_id", name="feeds_one_of_each"),
    )


def _external_calendars() -> None:
    op.create_table(
        "external_calendars",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("modified", sa.Text(), nullable=True),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_index("external_calendars_due", "external_calendars", ["next_at"])

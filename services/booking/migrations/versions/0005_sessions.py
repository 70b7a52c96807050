"""Sessions, their roles and seats."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_ACTIVE = "state IN ('taken', 'offered', 'waiting')"


def upgrade() -> None:
    _sessions()
    _indexes_of_sessions()
    _session_roles()
    _session_sign_ups()
    _indexes_of_sign_ups()


def downgrade() -> None:
    for table in ("session_sign_ups", "session_roles", "sessions"):
        op.drop_table(table)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("place_label", sa.Text(), nullable=True),
        sa.Column("video_url", sa.Text(), nullable=True),
        sa.Column("organiser_member_id", sa.Uuid(), nullable=False),
        sa.Column("organiser_name", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Uuid(), nullable=True),
        sa.Column("circle_name", sa.Text(), nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("audience_circle_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("confidentiality", sa.Text(), nullable=False),
        sa.Column("rotating_role", sa.Text(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("extras", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accept_hours", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name="sessions_period"),
        sa.CheckConstraint("status IN ('planned', 'cancelled')", name="sessions_status"),
        sa.CheckConstraint("accept_hours >= 1", name="sessions_accept_hours"),
        sa.PrimaryKeyConstraint("id"),
    )


def _indexes_of_sessions() -> None:
    op.create_index("sessions_by_start", "sessions", ["starts_at", "id"])
    op.create_index("sessions_of_organiser", "sessions", ["organiser_member_id", "starts_at"])
    in_series, rotates, unsaid = "series_id IS NOT NULL", "rotating_role IS NOT NULL", "reminded_at IS NULL"
    op.create_index("sessions_of_series", "sessions", ["series_id", "starts_at"], postgresql_where=sa.text(in_series))
    op.create_index("sessions_that_rotate", "sessions", ["starts_at"], postgresql_where=sa.text(rotates))
    op.create_index("sessions_to_remind", "sessions", ["starts_at"], postgresql_where=sa.text(unsaid))


def _session_roles() -> None:
    op.create_table(
        "session_roles",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.CheckConstraint("minimum >= 0 AND maximum >= 1 AND minimum <= maximum", name="session_roles_limits"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "code"),
        sa.UniqueConstraint("session_id", "code", "maximum", name="session_roles_with_maximum"),
    )


def _session_sign_ups() -> None:
    op.create_table(
        "session_sign_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("role_maximum", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("member_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.Column("accept_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seat BETWEEN 1 AND role_maximum", name="session_seats_within_maximum"),
        sa.CheckConstraint("(state IN ('taken', 'offered')) = (seat IS NOT NULL)", name="session_seats_are_held"),
        sa.CheckConstraint("(state = 'offered') = (accept_by IS NOT NULL)", name="session_offers_end"),
        sa.CheckConstraint("state IN ('taken', 'offered', 'waiting', 'left', 'missed')", name="session_sign_ups_state"),
        sa.ForeignKeyConstraint(
            ["session_id", "role", "role_maximum"],
            ["session_roles.session_id", "session_roles.code", "session_roles.maximum"],
            onupdate="CASCADE",
            ondelete="CASCADE",
            name="session_sign_ups_of_role",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("session_id", "role", "seat", name="session_seats_once"),
    )


def _indexes_of_sign_ups() -> None:
    table = "session_sign_ups"
    op.create_index(
        "session_sign_ups_one_each", table, ["session_id", "member_id"], unique=True, postgresql_where=sa.text(_ACTIVE)
    )
    op.create_index("session_sign_ups_of_member", table, ["member_id"], postgresql_where=sa.text(_ACTIVE))
    op.create_index("session_offers_ending", table, ["accept_by"], postgresql_where=sa.text("state = 'offered'"))

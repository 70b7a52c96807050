"""Sessions, their roles, and who holds which seat.

The database itself keeps seats from being sold twice. A sign-up that is `taken` or `offered` has a seat number, and no
other has one (a check); no number of a role is given twice (a unique constraint); no number is beyond the role's
maximum (a check against the maximum, which the foreign key keeps equal to the role's, also when that is changed); and
nobody has two sign-ups in one session at a time (a unique index).
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.booking.domain.seating import ACTIVE, HOLDING
from services.booking.tables.columns import instant, metadata

_HOLDING = ", ".join(f"'{state}'" for state in HOLDING)
_ACTIVE = ", ".join(f"'{state}'" for state in ACTIVE)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("series_id", sa.Uuid),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("place_label", sa.Text),
    sa.Column("video_url", sa.Text),
    sa.Column("organiser_member_id", sa.Uuid, nullable=False),
    sa.Column("organiser_name", sa.Text, nullable=False),
    sa.Column("circle_id", sa.Uuid),
    sa.Column("circle_name", sa.Text),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("audience_circle_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("confidentiality", sa.Text, nullable=False),
    sa.Column("rotating_role", sa.Text),
    sa.Column("steps", JSONB, nullable=False),
    sa.Column("extras", JSONB, nullable=False),
    sa.Column("accept_hours", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("reminded_at", nullable=True),
    instant("created_at"),
    instant("changed_at"),
    sa.CheckConstraint("starts_at < ends_at", name="sessions_period"),
    sa.CheckConstraint("status IN ('planned', 'cancelled')", name="sessions_status"),
    sa.CheckConstraint("accept_hours >= 1", name="sessions_accept_hours"),
    sa.Index("sessions_by_start", "starts_at", "id"),
    sa.Index("sessions_of_organiser", "organiser_member_id", "starts_at"),
    sa.Index("sessions_of_series", "series_id", "starts_at", postgresql_where=sa.text("series_id IS NOT NULL")),
    sa.Index("sessions_that_rotate", "starts_at", postgresql_where=sa.text("rotating_role IS NOT NULL")),
    sa.Index("sessions_to_remind", "starts_at", postgresql_where=sa.text("reminded_at IS NULL")),
)

session_roles = sa.Table(
    "session_roles",
    metadata,
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("minimum", sa.Integer, nullable=False),
    sa.Column("maximum", sa.Integer, nullable=False),
    sa.UniqueConstraint("session_id", "code", "maximum", name="session_roles_with_maximum"),
    sa.CheckConstraint("minimum >= 0 AND maximum >= 1 AND minimum <= maximum", name="session_roles_limits"),
)

session_sign_ups = sa.Table(
    "session_sign_ups",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, unique=True),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("role_maximum", sa.Integer, nullable=False),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("member_name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("seat", sa.Integer),
    instant("accept_by", nullable=True),
    sa.Column("answers", JSONB, nullable=False),
    instant("signed_up_at"),
    instant("changed_at"),
    sa.ForeignKeyConstraint(
        ["session_id", "role", "role_maximum"],
        ["session_roles.session_id", "session_roles.code", "session_roles.maximum"],
        onupdate="CASCADE",
        ondelete="CASCADE",
        name="session_sign_ups_of_role",
    ),
    sa.UniqueConstraint("session_id", "role", "seat", name="session_seats_once"),
    sa.CheckConstraint("seat BETWEEN 1 AND role_maximum", name="session_seats_within_maximum"),
    sa.CheckConstraint(f"(state IN ({_HOLDING})) = (seat IS NOT NULL)", name="session_seats_are_held"),
    sa.CheckConstraint("(state = 'offered') = (accept_by IS NOT NULL)", name="session_offers_end"),
    sa.CheckConstraint(f"state IN ({_ACTIVE}, 'left', 'missed')", name="session_sign_ups_state"),
    sa.Index(
        "session_sign_ups_one_each",
        "session_id",
        "member_id",
        unique=True,
        postgresql_where=sa.text(f"state IN ({_ACTIVE})"),
    ),
    sa.Index("session_sign_ups_of_member", "member_id", postgresql_where=sa.text(f"state IN ({_ACTIVE})")),
    sa.Index("session_offers_ending", "accept_by", postgresql_where=sa.text("state = 'offered'")),
)

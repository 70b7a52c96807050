"""The first tables of identity."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_messages()
    _create_people()
    _create_secrets()
    _create_circles()


def downgrade() -> None:
    tables = "circle_member circle tried mailed_link signed_in invitation member cooperative idempotency inbox outbox"
    for table in tables.split():
        op.drop_table(table)


def _create_messages() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("time", _instant, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", _instant, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "idempotency",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("at", _instant, nullable=False, server_default=sa.func.now(), index=True),
    )


def _create_people() -> None:
    op.create_table(
        "cooperative",
        sa.Column("only", sa.Boolean, sa.CheckConstraint('"only"', name="cooperative_is_one"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("place_label", sa.Text, nullable=False),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("contact_email", sa.Text),
        sa.Column("web", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("email_key", sa.Text, unique=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("joined_at", _instant, nullable=False),
        sa.Column("left_at", _instant),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("role IN ('member', 'coordinator', 'administrator')", name="member_role_is_known"),
        sa.CheckConstraint(
            "CASE status WHEN 'active' THEN email_key IS NOT NULL"
            " WHEN 'left' THEN email IS NULL AND email_key IS NULL AND password_hash IS NULL ELSE false END",
            name="member_who_left_has_no_account",
        ),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False, index=True),
        sa.Column("name", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("invited_by", sa.Uuid, sa.ForeignKey("member.id"), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA, nullable=False, unique=True),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False),
        sa.Column("accepted_at", _instant),
        sa.Column("revoked_at", _instant),
    )


def _create_secrets() -> None:
    op.create_table(
        "signed_in",
        sa.Column("secret_hash", postgresql.BYTEA, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
        sa.Column("since", _instant, nullable=False),
        sa.Column("last_used_at", _instant, nullable=False, index=True),
    )
    op.create_table(
        "mailed_link",
        sa.Column("token_hash", postgresql.BYTEA, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("expires_at", _instant, nullable=False, index=True),
    )
    op.create_table(
        "tried",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("key_hash", postgresql.BYTEA, nullable=False),
        sa.Column("at", _instant, nullable=False, index=True),
        sa.Index("tried_by_key", "what", "key_hash", "at"),
    )


def _create_circles() -> None:
    op.create_table(
        "circle",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("circle_name_is_one", "name_key", unique=True, postgresql_where=sa.text("status = 'active'")),
    )
    op.create_table(
        "circle_member",
        sa.Column("circle_id", sa.Uuid, sa.ForeignKey("circle.id"), primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), primary_key=True, index=True),
    )

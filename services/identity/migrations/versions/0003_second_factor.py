"""The second step of signing in: keys of apps, recovery codes, and who stands between password and code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("member", sa.Column("role_since", _instant))
    op.add_column("member", sa.Column("second_factor_since", _instant))
    # Whoever has a role already gets the whole time of grace from now on.
    op.execute("UPDATE member SET role_since = now() WHERE role <> 'member'")
    op.create_table(
        "second_factor",
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), primary_key=True),
        sa.Column("sealed_key", postgresql.BYTEA, nullable=False),
        sa.Column("started_at", _instant, nullable=False),
        sa.Column("confirmed_at", _instant),
        sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False),
        sa.Column("begins", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.UniqueConstraint("member_id", "begins", name="recovery_code_begins"),
    )
    op.create_table(
        "second_step",
        sa.Column("secret_hash", postgresql.BYTEA, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("expires_at", _instant, nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("second_step")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_column("member", "second_factor_since")
    op.drop_column("member", "role_since")

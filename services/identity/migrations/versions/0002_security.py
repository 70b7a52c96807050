"""Sessions that can be listed, tokens for scripts, and the trail of coordinators' acts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_instant = sa.DateTime(timezone=True)

_APPEND_ONLY = """
DO $$
DECLARE runtime text := current_database();
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = runtime) THEN
        EXECUTE format('REVOKE ALL ON act FROM %I', runtime);
        EXECUTE format('GRANT SELECT, INSERT ON act TO %I', runtime);
    END IF;
END $$
"""

_FORGET = """
CREATE FUNCTION forget_old_acts() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (DELETE FROM act WHERE kept_at < now() - interval '400 days' RETURNING 1) SELECT count(*) FROM gone
$$
"""


def upgrade() -> None:
    op.add_column("signed_in", sa.Column("id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")))
    op.add_column("signed_in", sa.Column("device", sa.Text, nullable=False, server_default=""))
    op.create_unique_constraint("signed_in_id", "signed_in", ["id"])
    op.create_table(
        "personal_token",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("secret_hash", postgresql.BYTEA, nullable=False, unique=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False, index=True),
        sa.Column("last_used_at", _instant),
    )
    op.create_table(
        "act",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", _instant, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("said", postgresql.JSONB, nullable=False),
        sa.Column("notes", postgresql.JSONB, nullable=False),
        sa.Column("correlation_id", sa.Text),
        sa.Column("kept_at", _instant, nullable=False, server_default=sa.func.now()),
        sa.Index("act_by_time", "at", "id"),
        sa.Index("act_by_actor", "actor_id", "at"),
    )
    op.execute(_APPEND_ONLY)
    op.execute(_FORGET)


def downgrade() -> None:
    op.execute("DROP FUNCTION forget_old_acts()")
    op.drop_table("act")
    op.drop_table("personal_token")
    op.drop_column("signed_in", "device")
    op.drop_column("signed_in", "id")

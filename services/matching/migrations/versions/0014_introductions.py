"""Wishes to be put in touch, how matches worked out, and needs that nobody answered."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "introductions",
        sa.Column("asker_peer", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asker_peer_name", sa.Text()),
        sa.Column("asker_id", sa.Uuid()),
        sa.Column("asker_name", sa.Text()),
        sa.Column("pseudonym", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_name", sa.Text()),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("thing_title", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("owner_name", sa.Text()),
        sa.Column("need_id", sa.Uuid()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("asker_peer", "id"),
    )
    for column in ("asker_id", "thing_id", "owner_id", "need_id"):
        op.create_index(f"ix_introductions_{column}", "introductions", [column])
    op.create_table(
        "widenings",
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("radius_km", sa.Double()),
        sa.Column("scope", sa.Text()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("answered_by", sa.Uuid()),
        sa.Column("widened", sa.Boolean()),
        sa.PrimaryKeyConstraint("need_id"),
    )
    op.create_index("ix_widenings_member_id", "widenings", ["member_id"])
    op.add_column("proposals", sa.Column("outcome_asked_at", sa.DateTime(timezone=True)))
    op.add_column("proposals", sa.Column("outcome_key", sa.Text()))
    op.create_index("proposals_outcome_key", "proposals", ["outcome_key"], unique=True)


def downgrade() -> None:
    op.drop_index("proposals_outcome_key", "proposals")
    op.drop_column("proposals", "outcome_key")
    op.drop_column("proposals", "outcome_asked_at")
    op.drop_table("widenings")
    op.drop_table("introductions")

"""Saved searches, and what they have found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("side", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("origin", sa.Text()),
        sa.Column("place_label", sa.Text()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("radius_km", sa.Double()),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lexemes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("vector", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_saved_searches_member_id", "saved_searches", ["member_id"])
    op.create_table(
        "alerted",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("search_id", sa.Uuid()),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("told_as", sa.Text()),
        sa.ForeignKeyConstraint(["search_id"], ["saved_searches.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("member_id", "origin", "thing_id"),
    )
    op.create_index("ix_alerted_search_id", "alerted", ["search_id"])
    waiting = sa.text("told_at IS NULL")
    op.create_index("alerted_waiting", "alerted", ["member_id", "found_at"], postgresql_where=waiting)


def downgrade() -> None:
    op.drop_table("alerted")
    op.drop_table("saved_searches")

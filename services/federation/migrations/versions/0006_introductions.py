"""Introductions across the border: who asked whom, and whether there was a yes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "introductions",
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("introduction_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_us", sa.Boolean(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("peer_id", "introduction_id"),
    )


def downgrade() -> None:
    op.drop_table("introductions")

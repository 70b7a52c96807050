"""The life of a match: what the author of a need made of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("proposals", sa.Column("status", sa.Text(), nullable=False, server_default="proposed"))
    op.add_column("proposals", sa.Column("changed_at", sa.DateTime(timezone=True)))
    op.add_column("proposals", sa.Column("reason", sa.Text()))
    op.add_column("proposals", sa.Column("outcome", sa.Boolean()))
    op.add_column("proposals", sa.Column("gains", postgresql.JSONB(), nullable=False, server_default="{}"))


def downgrade() -> None:
    for column in ("gains", "outcome", "reason", "changed_at", "status"):
        op.drop_column("proposals", column)

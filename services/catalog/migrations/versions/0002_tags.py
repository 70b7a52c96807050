"""Words that authors add freely."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    tags = sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}")
    op.add_column("listings", tags)


def downgrade() -> None:
    op.drop_column("listings", "tags")

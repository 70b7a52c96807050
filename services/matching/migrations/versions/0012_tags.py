"""Words that authors add freely."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    tags = sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}")
    op.add_column("things", tags)


def downgrade() -> None:
    op.drop_column("things", "tags")

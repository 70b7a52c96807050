"""From which network somebody has signed in: others' wrong passwords do not shut them out there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("signed_in", sa.Column("network_hash", postgresql.BYTEA))


def downgrade() -> None:
    op.drop_column("signed_in", "network_hash")

"""Through which hub a message came that waits for a key: whoever handed it over answers for what is nobody's word."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("handed_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("quarantine", "handed_by")

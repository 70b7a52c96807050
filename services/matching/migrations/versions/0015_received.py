"""When what was promised towards a need was received."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("introductions", sa.Column("received_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("introductions", "received_at")

"""A coordinator's no to weights, beside the yes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("weights", sa.Column("declined_at", sa.DateTime(timezone=True)))
    op.add_column("weights", sa.Column("declined_by", sa.Uuid()))


def downgrade() -> None:
    op.drop_column("weights", "declined_by")
    op.drop_column("weights", "declined_at")

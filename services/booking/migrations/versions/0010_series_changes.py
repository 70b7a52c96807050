"""Changes of several bookings of a series that are asked for, and answered, in one step."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("changes", sa.Column("together", sa.Uuid(), nullable=True))
    op.create_index("changes_together", "changes", ["together"], postgresql_where=sa.text("together IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("changes_together", "changes")
    op.drop_column("changes", "together")

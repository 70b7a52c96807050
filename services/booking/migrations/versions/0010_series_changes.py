"""Changes of several bookings of a series that are asked for, and answered, in one step; private bookings."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("changes", sa.Column("together", sa.Uuid(), nullable=True))
    op.create_index("changes_together", "changes", ["together"], postgresql_where=sa.text("together IS NOT NULL"))
    op.add_column("bookings", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("bookings", "private")
    op.drop_index("changes_together", "changes")
    op.drop_column("changes", "together")

"""Who lends to a guest may ask them to move."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("bookings", sa.Column("proposal", postgresql.JSONB(), nullable=True))
    by_owner = sa.Column("by_owner", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("changes_abroad", by_owner)
    op.add_column("changes_abroad", sa.Column("accepted", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM changes_abroad WHERE by_owner")
    op.drop_column("changes_abroad", "accepted")
    op.drop_column("changes_abroad", "by_owner")
    op.drop_column("bookings", "proposal")

"""What a peer asked of us as it signed it, so that it can have it back; and what of our own nobody claims."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("guest_bookings", sa.Column("request", sa.Text(), nullable=True))
    op.add_column("guest_bookings", sa.Column("pseudonym", sa.Text(), nullable=True))
    op.add_column("bookings_abroad", sa.Column("unclaimed", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("bookings_abroad", "unclaimed")
    for column in ("request", "pseudonym"):
        op.drop_column("guest_bookings", column)

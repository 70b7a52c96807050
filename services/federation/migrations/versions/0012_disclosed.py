"""For which bookings a peer was given somebody's name and address: so that they can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "disclosed",
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False, index=True),
        sa.PrimaryKeyConstraint("peer_id", "booking_id"),
    )
    op.add_column("erasures", sa.Column("booking_ids", sa.ARRAY(sa.Uuid()), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("erasures", "booking_ids")
    op.drop_table("disclosed")

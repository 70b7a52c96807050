"""How much each member of a hub has passed on to each other one, so that one pair does not use up what is for all."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "traffic_to",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("to_link_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "to_link_id"),
    )
    op.create_index("ix_traffic_to_to_link_id", "traffic_to", ["to_link_id"])
    op.add_column("traffic", sa.Column("too_much_to_one", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("traffic", "too_much_to_one")
    op.drop_table("traffic_to")

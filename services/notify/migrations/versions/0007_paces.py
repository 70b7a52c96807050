"""How much each member has changed lately, for all replicas."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("paid_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_paces"),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("paces")

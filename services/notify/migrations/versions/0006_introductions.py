"""People who are put in touch."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "introductions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Uuid()),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("pseudonym", sa.Text()),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "peer_id", name="pk_introductions"),
    )
    for column in ("asker_id", "owner_id"):
        op.create_index(f"ix_introductions_{column}", "introductions", [column])


def downgrade() -> None:
    op.drop_table("introductions")

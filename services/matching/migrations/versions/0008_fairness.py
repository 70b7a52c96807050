"""Who was asked and who used whose things, for fairness between members and cooperatives."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "uses",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("lent", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("peer", "id"),
    )
    op.create_index("uses_at", "uses", ["at"])
    op.create_index("uses_asked", "uses", ["asked_at"], postgresql_where=sa.text("asked_at IS NOT NULL"))
    op.create_index("uses_with_peers", "uses", ["peer", "at"], postgresql_where=sa.text("peer <> '' AND used"))


def downgrade() -> None:
    op.drop_table("uses")

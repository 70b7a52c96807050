"""What things are about, as vectors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_COMPARED = ["bits", "origin", "id"]


def upgrade() -> None:
    op.create_table(
        "meanings",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("bits", postgresql.BIT(384), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "id"),
    )
    for name in ("kind", "topic"):
        columns = ["model", "side", "open", name, "cell"]
        op.create_index(f"meanings_by_{name}", "meanings", columns, postgresql_include=_COMPARED)
    op.create_table(
        "to_encode",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "id"),
    )
    op.execute("INSERT INTO to_encode SELECT origin, id FROM things WHERE NOT gone")


def downgrade() -> None:
    op.drop_table("to_encode")
    op.drop_table("meanings")

"""What people wait for comes first: needs before offers, the latest before a long import."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_TABLES = ("to_match", "to_encode")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("first", sa.Boolean, nullable=False, server_default=sa.false()))
        since = sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
        op.add_column(table, since)
        op.create_index(f"{table}_order", table, [sa.text("first DESC"), sa.text("since DESC")])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"{table}_order", table)
        for name in ("since", "first"):
            op.drop_column(table, name)

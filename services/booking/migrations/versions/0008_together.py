"""Several bookings decided in one transaction, at a cost that does not grow with what is over."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_INDEXES = {"bookings_held_by": "'held'", "bookings_waiting_of": "'pending', 'cancelling'"}
"""What a decision asks of a member, who may have made thousands of bookings: their hold, their requests that wait."""


def upgrade() -> None:
    for name, statuses in _INDEXES.items():
        op.create_index(name, "bookings", ["borrower_member_id"], postgresql_where=sa.text(f"status IN ({statuses})"))
    op.execute(Path(__file__).with_name("0008_functions.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP FUNCTION bind_bookings(jsonb)")
    for name in _INDEXES:
        op.drop_index(name, "bookings")

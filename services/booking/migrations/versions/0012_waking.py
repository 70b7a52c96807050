"""Bookings notify only listeners that sleep; marks are locked; a held resource holds up no others."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_HERE = Path(__file__)


def upgrade() -> None:
    for statement in _HERE.with_name("0012_functions.sql").read_text(encoding="utf-8").split("\n\n\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER FUNCTION bind_bookings(jsonb) RESET lock_timeout")
    places_freed = _HERE.with_name("0006_functions.sql").read_text(encoding="utf-8").split("\n\n\n")[0]
    op.execute(places_freed.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(_HERE.with_name("0007_bind_booking.sql").read_text(encoding="utf-8"))
    op.execute("DROP FUNCTION wake(text)")

"""A resource that somebody holds does not stop the bookings of all others: a group gives up, and each decides alone."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER FUNCTION bind_bookings(jsonb) SET lock_timeout = '500ms'")


def downgrade() -> None:
    op.execute("ALTER FUNCTION bind_bookings(jsonb) RESET lock_timeout")

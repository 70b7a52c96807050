"""When a peer was asked for what we have forgotten: it is asked again until it has answered."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.alter_column("streams", "recovering_since", new_column_name="recovery_asked_at")


def downgrade() -> None:
    op.alter_column("streams", "recovery_asked_at", new_column_name="recovering_since")

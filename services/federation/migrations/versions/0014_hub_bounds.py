"""How much each member has a hub pass on; a link that is not read from for a while; how much waits for a peer."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_GRANT = """
DO $$
DECLARE agent text := regexp_replace(current_database(), '_federation$', '_broker_agent');
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = agent) THEN
        EXECUTE format('GRANT UPDATE (waiting_octets) ON broker_orders TO %I', agent);
    END IF;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "traffic",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("octets", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("link_id"),
    )
    op.add_column("broker_orders", sa.Column("waiting_octets", sa.BigInteger(), nullable=True))
    _commands("'create', 'pause', 'hold', 'remove'")
    op.execute(_GRANT)


def downgrade() -> None:
    # the version before reads from everybody
    op.execute("UPDATE broker_orders SET command = 'create', generation = generation + 1 WHERE command = 'hold'")
    _commands("'create', 'pause', 'remove'")
    op.drop_column("broker_orders", "waiting_octets")
    op.drop_table("traffic")


def _commands(known: str) -> None:
    op.drop_constraint("known_command", "broker_orders")
    op.create_check_constraint("known_command", "broker_orders", f"command IN ({known})")

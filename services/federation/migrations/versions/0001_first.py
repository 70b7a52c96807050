"""The first tables of the border post, and what the broker-agent may do with one of them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_AGENT_MAY = """
DO $$
DECLARE agent text := regexp_replace(current_database(), '_federation$', '_broker_agent');
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = agent) THEN
        EXECUTE format('GRANT SELECT ON broker_orders TO %I', agent);
        EXECUTE format(
            'GRANT UPDATE (done_generation, error, done_at, waiting, shovel, shovel_reason, measured_at,'
            ' status_asked_at) ON broker_orders TO %I', agent);
    END IF;
END $$
"""
"""Provision has made the role of the broker-agent before."""


def upgrade() -> None:
    _links()
    _linking()
    _own_things()
    _people()
    _saying()
    _receiving()
    _outbox_and_inbox()
    op.execute(_AGENT_MAY)


def downgrade() -> None:
    for table in set(sa.inspect(op.get_bind()).get_table_names()) - {"alembic_version"}:
        op.drop_table(table)


def _links() -> None:
    op.create_table(
        "profile",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("web", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("invited_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("peer_link_id", sa.Uuid(), nullable=True),
        sa.Column("peer_name", sa.Text(), nullable=False),
        sa.Column("peer_summary", sa.Text(), nullable=False),
        sa.Column("peer_web", sa.Text(), nullable=False),
        sa.Column("peer_address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("access", sa.Text(), nullable=True),
        sa.Column("peer_password", sa.Text(), nullable=False),
        sa.Column("inbound_password", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("begun_by_name", sa.Text(), nullable=False),
        sa.Column("confirmed_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('awaiting_confirmation', 'to_confirm', 'opening', 'active', 'paused', 'ended')",
            name="known_status",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_living_link_per_peer", "links", ["peer_id"], unique=True, postgresql_where=sa.text("status <> 'ended'")
    )


def _linking() -> None:
    op.create_table(
        "key_sets",
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("root_x", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("peer_id"),
    )
    op.create_table(
        "peer_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('confirmed', 'ended')", name="known_kind"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("link_id", "kind", name="one_call_of_a_kind"),
    )
    op.create_table(
        "broker_orders",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("peer_password", sa.Text(), nullable=False),
        sa.Column("inbound_password", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=True),
        sa.Column("status_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting", sa.BigInteger(), nullable=True),
        sa.Column("shovel", sa.Text(), nullable=True),
        sa.Column("shovel_reason", sa.Text(), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("command IN ('create', 'pause', 'remove')", name="known_command"),
        sa.PrimaryKeyConstraint("link_id"),
    )


def _own_things() -> None:
    op.create_table(
        "own_listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("peer_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("shared_form", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "own_listings_to_come",
        "own_listings",
        ["valid_from"],
        unique=False,
        postgresql_where=sa.text("valid_from IS NOT NULL"),
    )
    op.create_table(
        "own_resources",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("shared_form", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.create_table(
        "own_busy",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("shared_form", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.create_table(
        "shares",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("listing_version", sa.BigInteger(), nullable=False),
        sa.Column("resource_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("busy_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "thing_id"),
    )
    op.create_index("shares_of_thing", "shares", ["thing_id"], unique=False)


def _people() -> None:
    op.create_table(
        "pseudonyms",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "peer_id"),
        sa.UniqueConstraint("pseudonym"),
    )
    op.create_table(
        "bookings_abroad",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("booking_id"),
    )
    op.create_table(
        "guest_bookings",
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("peer_id", "booking_id"),
    )


def _saying() -> None:
    op.create_table(
        "streams",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_id"),
    )
    op.create_table(
        "sent_log",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "epoch", "seq"),
    )
    op.create_index("ix_sent_log_at", "sent_log", ["at"], unique=False)
    op.create_table(
        "border_outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_border_outbox_link_id", "border_outbox", ["link_id"], unique=False)


def _receiving() -> None:
    op.create_table(
        "positions",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("applied_to", sa.BigInteger(), nullable=False),
        sa.Column("gap_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("link_id"),
    )
    op.create_table(
        "parked",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "epoch", "seq"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_quarantine_link_id", "quarantine", ["link_id"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("refusals_of_link", "refusals", ["link_id", "id"], unique=False)


def _outbox_and_inbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )

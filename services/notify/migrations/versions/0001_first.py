"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_plumbing()
    _create_copies()
    _create_links_and_preferences()
    _create_notifications()
    _create_deliveries()


def downgrade() -> None:
    tables = (
        "deliveries notifications preferences links disclosures bookings "
        "resources cooperative contacts members outbox inbox"
    )
    for table in tables.split():
        op.drop_table(table)


def _instant(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _create_plumbing() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("source", "id", name="pk_inbox"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        _instant("time"),
        sa.Column("traceparent", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )


def _create_copies() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
    )
    op.create_index("ix_members_role", "members", ["role"])
    op.create_table(
        "contacts",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_contacts"),
    )
    op.create_table(
        "cooperative",
        sa.Column("only", sa.Boolean, sa.CheckConstraint('"only"', name="only_one"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("contact_email", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_cooperative"),
    )
    op.create_table(
        "resources",
        sa.Column("offer_id", sa.Uuid, nullable=False),
        sa.Column("approval", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_resources"),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("borrower_peer", sa.Text, nullable=False),
        sa.Column("borrower_id", sa.Uuid),
        sa.Column("owner_id", sa.Uuid),
        sa.Column("resource_origin", sa.Text),
        sa.Column("offer_title", sa.Text, nullable=False),
        sa.Column("was_confirmed", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _instant("ends_at"),
        sa.PrimaryKeyConstraint("id", "borrower_peer", name="pk_bookings"),
    )
    op.create_index("ix_bookings_ends_at", "bookings", ["ends_at"])


def _create_links_and_preferences() -> None:
    op.create_table(
        "disclosures",
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("peer_id", sa.Text, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        _instant("said_at", optional=True),
        sa.PrimaryKeyConstraint("booking_id", "peer_id", name="pk_disclosures"),
    )
    op.create_index("ix_disclosures_member_id", "disclosures", ["member_id"])
    op.create_table(
        "links",
        sa.Column("link_id", sa.Uuid, nullable=False),
        sa.Column("peer_name", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _instant("refusal_told_at", optional=True),
        sa.PrimaryKeyConstraint("link_id", name="pk_links"),
    )
    op.create_table(
        "preferences",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_preferences"),
    )


def _create_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        _instant("at"),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("about_type", sa.Text, nullable=False),
        sa.Column("about_id", sa.Text, nullable=False),
        sa.Column("about_origin", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        _instant("read_at", optional=True),
        sa.PrimaryKeyConstraint("seq", name="pk_notifications"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_notifications_member_id_seq", "notifications", ["member_id", "seq"])
    op.create_index(
        "ix_notifications_unread", "notifications", ["member_id"], postgresql_where=sa.text("read_at IS NULL")
    )
    op.create_index("ix_notifications_about_id", "notifications", ["about_id"])
    op.create_index("ix_notifications_at", "notifications", ["at"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid, nullable=False),
        _instant("at"),
        sa.Column("member_id", sa.Uuid),
        sa.Column("email", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("locale", sa.Text),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("about_id", sa.Text),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("facts", JSONB),
        sa.Column("secret", sa.Boolean, nullable=False),
        _instant("give_up_at"),
        sa.Column("traceparent", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _instant("next_at"),
        sa.Column("last_error", sa.Text),
        _instant("done_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed', 'dropped')", name="status_is_known"),
        sa.CheckConstraint("status = 'waiting' OR NOT secret OR facts IS NULL", name="secrets_are_forgotten"),
    )
    op.create_index("ix_deliveries_waiting", "deliveries", ["next_at"], postgresql_where=sa.text("status = 'waiting'"))
    op.create_index("ix_deliveries_about_id", "deliveries", ["about_id"])
    op.create_index("ix_deliveries_done_at", "deliveries", ["done_at"])

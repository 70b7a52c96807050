"""First tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_OCCUPYING = "resource_origin IS NULL AND status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')"


def upgrade() -> None:
    _bookings()
    _indexes_of_bookings()
    _circles()
    _idempotency()
    _inbox()
    _links()
    _members()
    _offers()
    _outbox()
    _peer_busy()
    _peer_resources()
    _resources()
    _withdrawals()
    _history()


def downgrade() -> None:
    for table in ("history", "bookings", "resources", "withdrawals", "offers", "members", "circles", "links"):
        op.drop_table(table)
    for table in ("peer_resources", "peer_busy", "outbox", "inbox", "idempotency"):
        op.drop_table(table)


def _bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("offer_title", sa.Text(), nullable=False),
        sa.Column("resource_origin", sa.Text(), nullable=True),
        sa.Column("origin_name", sa.Text(), nullable=True),
        sa.Column("borrower_member_id", sa.Uuid(), nullable=True),
        sa.Column("borrower_name", sa.Text(), nullable=True),
        sa.Column("borrower_peer_id", sa.Text(), nullable=True),
        sa.Column("borrower_peer_name", sa.Text(), nullable=True),
        sa.Column("borrower_pseudonym", sa.Text(), nullable=True),
        sa.Column("owner_member_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occupied", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("place_label", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote_version", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("offer_id"), "="),
            (sa.column("occupied"), "&&"),
            where=sa.text(f"exclusive AND {_OCCUPYING}"),
            using="gist",
            name="bookings_never_overlap",
        ),
        sa.CheckConstraint(f"NOT ({_OCCUPYING}) OR occupied IS NOT NULL", name="bookings_occupying_has_span"),
        sa.CheckConstraint("status = 'declined' OR starts_at < ends_at", name="bookings_period"),
        sa.CheckConstraint("NOT isempty(occupied)", name="bookings_occupied_not_empty"),
        sa.CheckConstraint("borrower_member_id IS NULL OR borrower_peer_id IS NULL", name="bookings_one_borrower"),
        sa.PrimaryKeyConstraint("id"),
    )


def _indexes_of_bookings() -> None:
    op.create_index("bookings_of_borrower", "bookings", ["borrower_member_id", "starts_at", "id"])
    op.create_index("bookings_of_offer", "bookings", ["offer_id", "starts_at"])
    op.create_index("bookings_of_owner", "bookings", ["owner_member_id", "starts_at", "id"])
    op.create_index(
        "bookings_open_with_origin",
        "bookings",
        ["resource_origin"],
        postgresql_where=sa.text("resource_origin IS NOT NULL"),
    )
    op.create_index(
        "bookings_open_with_peer",
        "bookings",
        ["borrower_peer_id"],
        postgresql_where=sa.text("borrower_peer_id IS NOT NULL"),
    )
    op.create_index("bookings_to_complete", "bookings", ["ends_at"], postgresql_where=sa.text("status = 'confirmed'"))
    op.create_index("bookings_waiting", "bookings", ["decide_by"], postgresql_where=sa.text("status = 'pending'"))


def _circles() -> None:
    op.create_table(
        "circles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("circles_by_member", "circles", ["member_ids"], postgresql_using="gin")


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "route", "key"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("peer_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id"),
    )
    op.create_index("ix_links_peer_id", "links", ["peer_id"])


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin_name", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner_member_id", sa.Uuid(), nullable=True),
        sa.Column("owner_circle_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("place_label", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("circle_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("peer_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("origin", "id"),
    )


def _outbox() -> None:
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


def _peer_busy() -> None:
    op.create_table(
        "peer_busy",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", "offer_id"),
    )


def _peer_resources() -> None:
    op.create_table(
        "peer_resources",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("origin", "offer_id"),
    )


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("opening_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=False),
        sa.Column("minimum_minutes", sa.Integer(), nullable=False),
        sa.Column("maximum_minutes", sa.Integer(), nullable=False),
        sa.Column("lead_minutes", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("buffer_before_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_after_minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("busy_version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('open', 'closed')", name="resources_status"),
        sa.CheckConstraint("capacity >= 1", name="resources_capacity"),
        sa.PrimaryKeyConstraint("offer_id"),
    )


def _withdrawals() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", "booking_id"),
    )


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_history_booking_id", "history", ["booking_id"])

"""The first tables of catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_circles()
    _create_copies()
    _create_ended_links()
    _create_idempotency()
    _create_imports()
    _create_inbox()
    _create_listings()
    _create_members()
    _create_outbox()
    _create_import_rows()


def downgrade() -> None:
    for table in [
        "import_rows",
        "outbox",
        "members",
        "listings",
        "inbox",
        "imports",
        "idempotency",
        "ended_links",
        "copies",
        "circles",
    ]:
        op.drop_table(table)


def _create_circles() -> None:
    op.create_table(
        "circles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("member_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("circles_member_ids", "circles", ["member_ids"], unique=False, postgresql_using="gin")


def _create_copies() -> None:
    op.create_table(
        "copies",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin_name", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listing", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("origin", "id"),
    )
    op.create_index("copies_newest", "copies", ["changed_at", "id"], unique=False, postgresql_where=sa.text("NOT gone"))


def _create_ended_links() -> None:
    op.create_table(
        "ended_links",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
    )


def _create_idempotency() -> None:
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
    op.create_index("ix_idempotency_at", "idempotency", ["at"], unique=False)


def _create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("member_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("status IN ('checked', 'running', 'done', 'failed')", name="imports_status"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "imports_running", "imports", ["created_at"], unique=False, postgresql_where=sa.text("status = 'running'")
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )


def _create_listings() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("place_label", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("owner_member_id", sa.Uuid(), nullable=False),
        sa.Column("owner_circle_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("circle_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("peer_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scope IN ('circle', 'cooperative', 'peers', 'public')", name="listings_scope"),
        sa.CheckConstraint("status IN ('published', 'withdrawn', 'expired')", name="listings_status"),
        sa.CheckConstraint("quantity >= 1", name="listings_quantity"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_listings_owner_circle_id", "listings", ["owner_circle_id"], unique=False)
    op.create_index("ix_listings_owner_member_id", "listings", ["owner_member_id"], unique=False)
    op.create_index(
        "listings_ending", "listings", ["valid_until"], unique=False, postgresql_where=sa.text("status = 'published'")
    )
    op.create_index("listings_newest", "listings", ["changed_at", "id"], unique=False)
    op.create_index("listings_ref", "listings", ["ref"], unique=True, postgresql_where=sa.text("ref IS NOT NULL"))


def _create_members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_outbox() -> None:
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


def _create_import_rows() -> None:
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("form", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "line"),
    )

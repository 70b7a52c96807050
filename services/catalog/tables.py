"""The tables of catalog."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis.idempotency import idempotency_table
from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table

metadata = sa.MetaData()

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
paces = pace_table(metadata)
idempotency = idempotency_table(metadata)

_instant = sa.DateTime(timezone=True)

members = sa.Table(
    "members",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Copies from identity."""

circles = sa.Table(
    "circles",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("member_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("circles_member_ids", "member_ids", postgresql_using="gin"),
)
"""Copies from identity."""

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("ref", sa.Text),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("place_label", sa.Text),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("owner_member_id", sa.Uuid, nullable=False, index=True),
    sa.Column("owner_circle_id", sa.Uuid, index=True),
    sa.Column("owner_name", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("circle_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("peer_ids", ARRAY(sa.Text), nullable=False),
    sa.Column("valid_from", _instant),
    sa.Column("valid_until", _instant),
    sa.Column("window_start", _instant),
    sa.Column("window_end", _instant),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.CheckConstraint("quantity >= 1", name="listings_quantity"),
    sa.CheckConstraint("status IN ('published', 'withdrawn', 'expired')", name="listings_status"),
    sa.CheckConstraint("scope IN ('circle', 'cooperative', 'peers', 'public')", name="listings_scope"),
    sa.Index("listings_ref", "ref", unique=True, postgresql_where=sa.text("ref IS NOT NULL")),
    sa.Index("listings_newest", "changed_at", "id"),
    sa.Index("listings_ending", "valid_until", postgresql_where=sa.text("status = 'published'")),
)
"""Offers and needs of this cooperative, withdrawn ones too."""

copies = sa.Table(
    "copies",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("origin_name", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("received_at", _instant, nullable=False),
    sa.Column("lease_until", _instant),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("valid_until", _instant),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("listing", JSONB),
    sa.Index("copies_newest", "changed_at", "id", postgresql_where=sa.text("NOT gone")),
)
"""What peers share with us, as they sent it. `gone`: a tombstone, without content, that lets no older version back."""

ended_links = sa.Table(
    "ended_links",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("at", _instant, nullable=False),
)
"""When the last link with a peer ended: what federation said before that instant no longer counts."""

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("member_name", sa.Text, nullable=False),
    sa.Column("created_at", _instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("valid", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("created", sa.Integer, nullable=False),
    sa.Column("updated", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("errors", JSONB, nullable=False),
    sa.CheckConstraint("status IN ('checked', 'running', 'done', 'failed')", name="imports_status"),
    sa.Index("imports_running", "created_at", postgresql_where=sa.text("status = 'running'")),
)
"""CSV files that were checked, and how far their import is. `errors`: line, column, value, reason in each language."""

import_rows = sa.Table(
    "import_rows",
    metadata,
    sa.Column("import_id", sa.Uuid, sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("form", JSONB, nullable=False),
)
"""Good lines that wait to be imported; each is deleted in the transaction that imports it."""

"""Copies of what others own."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.booking.tables.columns import instant, metadata

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("origin_name", sa.Text),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default=""),
    sa.Column("category", sa.Text, nullable=False, server_default=""),
    sa.Column("owner_member_id", sa.Uuid),
    sa.Column("owner_circle_id", sa.Uuid),
    sa.Column("owner_name", sa.Text),
    sa.Column("place_label", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("circle_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("peer_ids", ARRAY(sa.Text), nullable=False),
    instant("valid_from", nullable=True),
    instant("valid_until", nullable=True),
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("to_forget", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("members_to_forget", "id", postgresql_where=sa.text("to_forget")),
)
"""Copies from identity. `to_forget`: has left, and what they wrote is needed until something open has ended."""

circles = sa.Table(
    "circles",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("member_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("circles_by_member", "member_ids", postgresql_using="gin"),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, nullable=False, index=True),
    sa.Column("peer_name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("changed_at"),
)

peer_resources = sa.Table(
    "peer_resources",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("said_at"),
    sa.Column("resource", JSONB, nullable=False),
)

peer_busy = sa.Table(
    "peer_busy",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("said_at"),
    sa.Column("busy", JSONB, nullable=False),
    sa.Column("partly", JSONB, nullable=False, server_default="[]"),
    instant("received_at"),
)

recovery = sa.Table(
    "recovery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("recovering", sa.Boolean, nullable=False),
)
"""Whether this instance comes back from a backup, as federation last said."""

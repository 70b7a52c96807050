"""Hubs: links that go through one, the stream of what is public, a hub's directory, and who was told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KINDS = "kind IN ('direct', 'hub', 'member', 'behind', 'public', 'heard')"
_ADDED = {
    "border_outbox": ("via", "recipient", "box", "body"),
    "key_sets": ("signed", "box"),
    "links": ("kind", "via"),
}


def upgrade() -> None:
    op.add_column("links", sa.Column("kind", sa.Text(), server_default="direct", nullable=False))
    op.add_column("links", sa.Column("via", sa.Uuid(), nullable=True))
    op.create_check_constraint("known_kind", "links", _KINDS)
    op.drop_index("one_living_link_per_peer", "links")
    _one_per_peer("one_living_link_per_peer", "status <> 'ended' AND kind NOT IN ('public', 'heard')")
    _one_per_peer("one_public_stream_per_origin", "status <> 'ended' AND kind IN ('public', 'heard')")
    op.add_column("key_sets", sa.Column("signed", sa.Text(), nullable=True))
    op.add_column("key_sets", sa.Column("box", sa.Text(), nullable=True))
    op.add_column("border_outbox", sa.Column("via", sa.Uuid(), nullable=True))
    for name in ("recipient", "box", "body"):
        op.add_column("border_outbox", sa.Column(name, sa.Text(), nullable=True))
    _tables()


def downgrade() -> None:
    for table in ("directory", "told_members", "public_reads"):
        op.drop_table(table)
    # what goes through a hub is unknown to the version before
    op.execute("DELETE FROM border_outbox WHERE via IS NOT NULL OR body IS NOT NULL")
    op.execute("DELETE FROM links WHERE kind IN ('behind', 'public', 'heard')")
    for name in ("one_living_link_per_peer", "one_public_stream_per_origin"):
        op.drop_index(name, "links")
    op.drop_constraint("known_kind", "links")
    for table, columns in _ADDED.items():
        for name in columns:
            op.drop_column(table, name)
    _one_per_peer("one_living_link_per_peer", "status <> 'ended'")


def _one_per_peer(name: str, where: str) -> None:
    op.create_index(name, "links", ["peer_id"], unique=True, postgresql_where=sa.text(where))


def _tables() -> None:
    op.create_table(
        "directory",
        sa.Column("hub_link_id", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("web", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("claimed_id", sa.Text(), nullable=True),
        sa.Column("offered_link_id", sa.Uuid(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('member', 'left')", name="known_status"),
        sa.PrimaryKeyConstraint("hub_link_id", "member"),
        sa.UniqueConstraint("hub_link_id", "instance_id", name="one_entry_of_an_instance"),
    )
    op.create_table(
        "told_members",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "member"),
    )
    op.create_table(
        "public_reads",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("acked_to", sa.BigInteger(), nullable=False),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id"),
    )

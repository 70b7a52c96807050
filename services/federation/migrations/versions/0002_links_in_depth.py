"""What links need to mend themselves: how far the other side is, which copies there are, and what recovers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ADDED = {
    "positions": (
        "seen_to",
        "generation",
        "asked_at",
        "asked_to",
        "asks",
        "owes_receipt",
        "receipt_at",
        "doubts",
        "proof",
        "vouched_at",
    ),
    "parked": ("body",),
    "streams": (
        "acked_to",
        "acked_at",
        "peer_copies",
        "manifest_at",
        "manifest_wanted",
        "replayed_to",
        "replayed_at",
        "recovering_since",
    ),
    "shares": (
        "seq",
        "asked",
    ),
    "bookings_abroad": (
        "version",
        "status",
        "request",
        "decision",
    ),
    "guest_bookings": (
        "version",
        "status",
        "answer",
    ),
    "links": (
        "share_kinds",
        "share_circles",
        "withheld",
        "open_requests_at_most",
    ),
    "own_listings": (
        "title",
        "circle_id",
    ),
}
_TABLES = ("copies", "recoveries", "erasures", "idempotency", "blocks", "own_keys", "revocations")


def upgrade() -> None:
    _positions()
    _streams_and_shares()
    _copies()
    _bookings()
    _recovery_and_erasure()
    _limits()
    _keys()


def downgrade() -> None:
    op.drop_index("shares_asked", "shares")
    op.drop_index("bookings_abroad_at", "bookings_abroad")
    for table in _TABLES:
        op.drop_table(table)
    for table, columns in _ADDED.items():
        for name in columns:
            op.drop_column(table, name)


def _add(table: str, *columns: sa.Column[object]) -> None:
    for column in columns:
        op.add_column(table, column)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _no(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _positions() -> None:
    _add(
        "positions",
        _number("seen_to"),
        _number("generation"),
        _instant("asked_at"),
        _number("asked_to"),
        sa.Column("asks", sa.Integer(), server_default="0", nullable=False),
        _no("owes_receipt"),
        _instant("receipt_at"),
        _no("doubts"),
        sa.Column("proof", sa.Text(), nullable=True),
        _instant("vouched_at"),
    )
    _add("parked", sa.Column("body", sa.Text(), nullable=True))


def _streams_and_shares() -> None:
    _add(
        "streams",
        _number("acked_to"),
        _instant("acked_at"),
        sa.Column("peer_copies", sa.BigInteger(), nullable=True),
        _instant("manifest_at"),
        _no("manifest_wanted"),
        _number("replayed_to"),
        _instant("replayed_at"),
        _instant("recovering_since"),
    )
    _add("shares", _number("seq"), _no("asked"))
    op.create_index("shares_asked", "shares", ["link_id"], postgresql_where=sa.text("asked"))


def _copies() -> None:
    op.create_table(
        "copies",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("listing_version", sa.BigInteger(), nullable=False),
        _number("resource_version"),
        _number("busy_version"),
        _no("gone"),
        _instant("vouched_at", nullable=False),
        sa.PrimaryKeyConstraint("link_id", "thing_id"),
    )


def _bookings() -> None:
    for table in ("bookings_abroad", "guest_bookings"):
        _add(table, _number("version"), sa.Column("status", sa.Text(), server_default="", nullable=False))
    _add(
        "bookings_abroad",
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
    )
    _add("guest_bookings", sa.Column("answer", sa.Text(), nullable=True))
    op.create_index("bookings_abroad_at", "bookings_abroad", ["peer_id"])


def _recovery_and_erasure() -> None:
    op.create_table(
        "recoveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        _instant("begun_at", nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        _instant("answered_at"),
        _instant("ended_at"),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "erasures",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        _instant("said_at", nullable=False),
        _instant("acked_at"),
        sa.PrimaryKeyConstraint("link_id", "pseudonym"),
    )


def _limits() -> None:
    _add(
        "links",
        sa.Column("share_kinds", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("share_circles", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("withheld", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("open_requests_at_most", sa.Integer(), nullable=True),
    )
    _add(
        "own_listings",
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("circle_id", sa.Uuid(), nullable=True),
    )
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
    op.create_table(
        "blocks",
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("peer_name", sa.Text(), nullable=False),
        sa.Column("blocked_by", sa.Text(), nullable=False),
        _instant("at", nullable=False),
        sa.PrimaryKeyConstraint("peer_id"),
    )


def _keys() -> None:
    op.create_table(
        "own_keys",
        sa.Column("kid", sa.Text(), nullable=False),
        _instant("announced_at", nullable=False),
        _instant("signs_from", nullable=False),
        _instant("revoked_at"),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "revocations",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid", "link_id"),
    )

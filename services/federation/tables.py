"""What `federation` keeps. Nothing here is a copy of a peer's thing: those live with the services that show them."""

from datetime import datetime

import sqlalchemy as sa

from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table

metadata = sa.MetaData()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
paces = pace_table(metadata)

LINKS_CHANNEL = "links"
"""NOTIFY: a link was made or has changed."""

ORDERS_CHANNEL = "broker_orders"
"""NOTIFY: the broker-agent has something to do."""

BORDER_CHANNEL = "border_outbox"


def instant(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    """A column with a time zone."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


links = sa.Table(
    "links",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, nullable=False),
    sa.Column("peer_link_id", sa.Uuid),
    sa.Column("peer_name", sa.Text, nullable=False),
    sa.Column("peer_summary", sa.Text, nullable=False),
    sa.Column("peer_web", sa.Text, nullable=False),
    sa.Column("peer_address", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("access", sa.Text),
    sa.Column("peer_password", sa.Text, nullable=False),
    sa.Column("inbound_password", sa.Text, nullable=False),
    instant("created_at", nullable=False),
    instant("active_since"),
    instant("ended_at"),
    sa.Column("reason", sa.Text),
    sa.Column("begun_by_name", sa.Text, nullable=False),
    sa.Column("confirmed_by_name", sa.Text),
    sa.Column("share_kinds", sa.ARRAY(sa.Text)),
    sa.Column("share_circles", sa.ARRAY(sa.Uuid)),
    sa.Column("withheld", sa.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("open_requests_at_most", sa.Integer),
    sa.Column("kind", sa.Text, nullable=False, server_default="direct"),
    sa.Column("via", sa.Uuid),
    sa.CheckConstraint(
        "status IN ('awaiting_confirmation', 'to_confirm', 'opening', 'active', 'paused', 'ended')", name="known_status"
    ),
    sa.CheckConstraint("kind IN ('direct', 'hub', 'member', 'behind', 'public', 'heard')", name="known_kind"),
    sa.Index(
        "one_living_link_per_peer",
        "peer_id",
        unique=True,
        postgresql_where=sa.text("status <> 'ended' AND kind NOT IN ('public', 'heard')"),
    ),
    sa.Index(
        "one_public_stream_per_origin",
        "peer_id",
        unique=True,
        postgresql_where=sa.text("status <> 'ended' AND kind IN ('public', 'heard')"),
    ),
)

key_sets = sa.Table(
    "key_sets",
    metadata,
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("root_x", sa.Text, nullable=False),
    sa.Column("keys", sa.Text, nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
    instant("expires_at", nullable=False),
    instant("fetched_at", nullable=False),
    instant("tried_at"),
    sa.Column("signed", sa.Text),
    sa.Column("box", sa.Text),
)

peer_calls = sa.Table(
    "peer_calls",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    instant("due_at", nullable=False),
    instant("give_up_at", nullable=False),
    sa.Column("error", sa.Text),
    sa.CheckConstraint("kind IN ('confirmed', 'ended')", name="known_kind"),
    sa.UniqueConstraint("link_id", "kind", name="one_call_of_a_kind"),
)

broker_orders = sa.Table(
    "broker_orders",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("peer_password", sa.Text, nullable=False),
    sa.Column("inbound_password", sa.Text, nullable=False),
    sa.Column("access", sa.Text),
    instant("status_asked_at"),
    sa.Column("done_generation", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("error", sa.Text),
    instant("done_at"),
    sa.Column("waiting", sa.BigInteger),
    sa.Column("waiting_octets", sa.BigInteger),
    sa.Column("shovel", sa.Text),
    sa.Column("shovel_reason", sa.Text),
    instant("measured_at"),
    sa.CheckConstraint("command IN ('create', 'pause', 'hold', 'remove')", name="known_command"),
)

own_listings = sa.Table(
    "own_listings",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("peer_ids", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("shared_form", sa.Text),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("circle_id", sa.Uuid),
    instant("valid_from"),
    sa.Index("own_listings_to_come", "valid_from", postgresql_where=sa.text("valid_from IS NOT NULL")),
)

own_resources = sa.Table(
    "own_resources",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("shared_form", sa.Text, nullable=False),
)

own_busy = sa.Table(
    "own_busy",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("shared_form", sa.Text, nullable=False),
)

shares = sa.Table(
    "shares",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("thing_id", sa.Uuid, primary_key=True),
    sa.Column("listing_version", sa.BigInteger, nullable=False),
    sa.Column("resource_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("busy_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("asked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("shares_of_thing", "thing_id"),
    sa.Index("shares_asked", "link_id", postgresql_where=sa.text("asked")),
)


pseudonyms = sa.Table(
    "pseudonyms",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("pseudonym", sa.Text, nullable=False, unique=True),
)

bookings_abroad = sa.Table(
    "bookings_abroad",
    metadata,
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("status", sa.Text, nullable=False, server_default=""),
    sa.Column("request", sa.Text),
    sa.Column("decision", sa.Text),
    sa.Column("unclaimed", sa.Boolean, nullable=False, server_default=sa.false()),
    instant("ends_at"),
    sa.Index("bookings_abroad_at", "peer_id"),
)

guest_bookings = sa.Table(
    "guest_bookings",
    metadata,
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("status", sa.Text, nullable=False, server_default=""),
    sa.Column("answer", sa.Text),
    sa.Column("request", sa.Text),
    sa.Column("pseudonym", sa.Text),
)

streams = sa.Table(
    "streams",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    instant("last_sent_at"),
    sa.Column("acked_to", sa.BigInteger, nullable=False, server_default="0"),
    instant("acked_at"),
    sa.Column("peer_copies", sa.BigInteger),
    instant("manifest_at"),
    sa.Column("manifest_wanted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("replayed_to", sa.BigInteger, nullable=False, server_default="0"),
    instant("replayed_at"),
    instant("recovery_asked_at"),
)

sent_log = sa.Table(
    "sent_log",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
)

border_outbox = sa.Table(
    "border_outbox",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Uuid, nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("via", sa.Uuid),
    sa.Column("recipient", sa.Text),
    sa.Column("box", sa.Text),
    sa.Column("body", sa.Text),
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("applied_to", sa.BigInteger, nullable=False),
    instant("gap_since"),
    instant("last_received_at"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seen_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("generation", sa.BigInteger, nullable=False, server_default="0"),
    instant("asked_at"),
    sa.Column("asked_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("asks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("owes_receipt", sa.Boolean, nullable=False, server_default=sa.false()),
    instant("receipt_at"),
    sa.Column("doubts", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("proof", sa.Text),
    instant("vouched_at"),
)

parked = sa.Table(
    "parked",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("body", sa.Text),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Uuid, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
    instant("at", nullable=False),
    sa.Column("handed_by", sa.Uuid),
)
"""What waits for a key. `handed_by`: our link with the hub that it came through."""

refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Uuid, nullable=False),
    instant("at", nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("refusals_of_link", "link_id", "id"),
)

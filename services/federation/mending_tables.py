"""The tables by which links mend themselves: which copies there are, what was restored, who was told of an erasure."""

import sqlalchemy as sa

from services.chassis.idempotency import idempotency_table
from services.federation.tables import instant, metadata

idempotency = idempotency_table(metadata)

copies = sa.Table(
    "copies",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("thing_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("listing_version", sa.BigInteger, nullable=False),
    sa.Column("resource_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("busy_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    instant("vouched_at", nullable=False),
)
"""Which of a peer's things our services hold, by id and version alone, and until when a peer has vouched for them."""

recoveries = sa.Table(
    "recoveries",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    instant("begun_at", nullable=False),
    sa.Column("begun_by", sa.Text, nullable=False),
    instant("answered_at"),
    instant("ended_at"),
    sa.Column("ended_by", sa.Text),
)

readmissions = sa.Table(
    "readmissions",
    metadata,
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, nullable=False),
)
"""Bookings that peers have handed back and that booking has not said anything of yet."""

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("pseudonym", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    instant("said_at", nullable=False),
    instant("acked_at"),
    sa.Column("booking_ids", sa.ARRAY(sa.Uuid), nullable=False, server_default="{}"),
)

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("peer_name", sa.Text, nullable=False),
    sa.Column("blocked_by", sa.Text, nullable=False),
    instant("at", nullable=False),
)
"""Cooperatives with which no link is to be made."""

own_keys = sa.Table(
    "own_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    instant("announced_at", nullable=False),
    instant("signs_from", nullable=False),
    instant("revoked_at"),
)
"""Since when peers know each of our signing keys. The private keys are files."""

revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
"""From where on a key of ours does not count, on each link that there was."""

introductions = sa.Table(
    "introductions",
    metadata,
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("introduction_id", sa.Uuid, primary_key=True),
    sa.Column("asked_by_us", sa.Boolean, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Wishes to be put in touch that crossed, ours or the peer's: an address crosses only after a yes."""

disclosed = sa.Table(
    "disclosed",
    metadata,
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False, index=True),
)
"""Who of ours is known to a peer by name and address, from which booking: what has to be taken back once they leave."""

replays = sa.Table(
    "replays",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    instant("since", nullable=False),
    sa.Column("messages", sa.BigInteger, nullable=False),
    sa.Column("octets", sa.BigInteger, nullable=False),
)
"""What was said again on a link because its peer asked for it, in the hour that began at `since`."""

"""The tables about hubs: a hub's directory, what each member was told of the others, who reads what is public."""

import sqlalchemy as sa

from services.federation.mending_tables import metadata
from services.federation.tables import instant

directory = sa.Table(
    "directory",
    metadata,
    sa.Column("hub_link_id", sa.Uuid, primary_key=True),
    sa.Column("member", sa.Uuid, primary_key=True),
    sa.Column("instance_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("web", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    instant("first_seen_at", nullable=False),
    sa.Column("doubt", sa.Text),
    sa.Column("claimed_id", sa.Text),
    sa.Column("offered_link_id", sa.Uuid),
    instant("heard_at"),
    sa.CheckConstraint("status IN ('member', 'left')", name="known_status"),
    sa.UniqueConstraint("hub_link_id", "instance_id", name="one_entry_of_an_instance"),
)
"""What a hub says of its members, pinned on first sight. `doubt`, `claimed_id`: it has since said something else, which
is not believed. `offered_link_id`: the member would like to be linked with us. `heard_at`: when it last said so."""

told_members = sa.Table(
    "told_members",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("member", sa.Uuid, primary_key=True),
    sa.Column("serial", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
)
"""At a hub: what the member of a link was last told of another."""

public_reads = sa.Table(
    "public_reads",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("acked_to", sa.BigInteger, nullable=False),
    instant("acked_at", nullable=False),
)
"""How far the peer of a link has applied what we share with everybody."""

traffic = sa.Table(
    "traffic",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    instant("since", nullable=False),
    sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("octets", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("dropped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("too_much_to_one", sa.BigInteger, nullable=False, server_default="0"),
)
"""At a hub: what the member of a link had passed on in the hour that began at `since`. `held`: it is not read from
until that hour is over. `dropped`: messages for it that were not kept because too much waits for it.
`too_much_to_one`: what was not passed on in this hour, because one other had its share."""

traffic_to = sa.Table(
    "traffic_to",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("to_link_id", sa.Uuid, primary_key=True, index=True),
    instant("since", nullable=False),
    sa.Column("messages", sa.BigInteger, nullable=False),
    sa.Column("octets", sa.BigInteger, nullable=False),
)
"""At a hub: of that, what went to one other member alone, in the hour that began at `since`."""

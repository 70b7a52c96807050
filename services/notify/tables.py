"""The tables of notify: who is reached how (copies), what people were told, and what is to be mailed."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

inbox = inbox_table(metadata)
outbox = outbox_table(metadata)
paces = pace_table(metadata)


def _instant(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


members = sa.Table(
    "members",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Copy of identity's members: newest version wins."""

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Copy of members' addresses; `email` is NULL once the member has left."""

cooperative = sa.Table(
    "cooperative",
    metadata,
    sa.Column("only", sa.Boolean, sa.CheckConstraint('"only"', name="only_one"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("contact_email", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("approval", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Who decides on requests for an offer of ours: "automatic", "owner" or "coordinator"."""

bookings = sa.Table(
    "bookings",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("borrower_peer", sa.Text, primary_key=True),
    sa.Column("borrower_id", sa.Uuid),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("resource_origin", sa.Text),
    sa.Column("offer_title", sa.Text, nullable=False),
    sa.Column("was_confirmed", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
"""The newest version of each booking, and of each wish of a waiting list, that people were told of.

`borrower_peer` is "" for our own members' bookings."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("state", JSONB, nullable=False),
)
"""The newest state of each session that people take part in."""

session_seats = sa.Table(
    "session_seats",
    metadata,
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Who has a seat, is offered one or waits: whom a move or the end of a session is told to."""

disclosures = sa.Table(
    "disclosures",
    metadata,
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False, index=True),
    _instant("said_at", optional=True),
)
"""Contacts that a confirmed booking discloses; `said_at` is NULL while the member's address is not known yet."""

introductions = sa.Table(
    "introductions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("peer_id", sa.Text, primary_key=True),
    sa.Column("asker_id", sa.Uuid, index=True),
    sa.Column("owner_id", sa.Uuid, index=True),
    sa.Column("pseudonym", sa.Text),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
    _instant("at"),
)
"""Who would like to be put in touch, and after a yes the name and address of a peer's person (ours are in `contacts`).

`peer_id` is "" between two of ours; `asker_id` or `owner_id` is NULL for the peer's person, known as `pseudonym`."""

links = sa.Table(
    "links",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("peer_name", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    _instant("refusal_told_at", optional=True),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
)

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
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
    sa.Index("ix_notifications_member_id_seq", "member_id", "seq"),
    sa.Index("ix_notifications_unread", "member_id", postgresql_where=sa.text("read_at IS NULL")),
    sa.Index("ix_notifications_about_id", "about_id"),
    sa.Index("ix_notifications_at", "at"),
)
"""The inbox of people. `seq` rises in the order of commits for each member: writers hold the member's lock."""

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
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
    sa.CheckConstraint("status IN ('waiting', 'sent', 'failed', 'dropped')", name="status_is_known"),
    sa.CheckConstraint("status = 'waiting' OR NOT secret OR facts IS NULL", name="secrets_are_forgotten"),
    sa.Index("ix_deliveries_waiting", "next_at", postgresql_where=sa.text("status = 'waiting'")),
    sa.Index("ix_deliveries_about_id", "about_id"),
    sa.Index("ix_deliveries_done_at", "done_at"),
)
"""Mails. To a member (address looked up when it is sent) or, for accounts, to `email`. `next_at` is also the lease."""

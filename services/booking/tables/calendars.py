"""Calendars that go out (feeds) and come in (a member's own, elsewhere)."""

import sqlalchemy as sa

from services.booking.tables.columns import SpanType, instant, metadata

feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    instant("created_at"),
    instant("read_at", nullable=True),
    sa.Column("digest", sa.LargeBinary),
    instant("modified_at", nullable=True),
    sa.CheckConstraint("kind IN ('member', 'resource', 'busy', 'circle')", name="feeds_kind"),
    sa.UniqueConstraint("secret_hash", name="feeds_secret"),
    sa.UniqueConstraint("member_id", "kind", "subject_id", name="feeds_one_of_each"),
)

external_calendars = sa.Table(
    "external_calendars",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("address", sa.LargeBinary, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("modified", sa.Text),
    instant("whole_at", nullable=True),
    instant("read_at", nullable=True),
    instant("next_at"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("cut", sa.Boolean, nullable=False),
    sa.Index("external_calendars_due", "next_at"),
)

external_busy = sa.Table(
    "external_busy",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("busy", SpanType, primary_key=True),
)

resource_calendars = sa.Table(
    "resource_calendars",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("follows_calendar", sa.Boolean, nullable=False),
    instant("changed_at"),
    sa.Index("resource_calendars_of_member", "member_id"),
)

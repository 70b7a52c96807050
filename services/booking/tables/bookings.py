"""Resources and their bookings."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import registry

from services.booking.domain.booking import Booking
from services.booking.domain.states import OCCUPYING
from services.booking.tables.columns import SpanType, instant, metadata

NEVER_OVERLAP = "bookings_never_overlap"
_OCCUPYING = ", ".join(f"'{status}'" for status in OCCUPYING)
IS_OCCUPYING = f"resource_origin IS NULL AND status IN ({_OCCUPYING})"

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("opening_hours", JSONB, nullable=False),
    sa.Column("step_minutes", sa.Integer, nullable=False),
    sa.Column("minimum_minutes", sa.Integer, nullable=False),
    sa.Column("maximum_minutes", sa.Integer, nullable=False),
    sa.Column("lead_minutes", sa.Integer, nullable=False),
    sa.Column("horizon_days", sa.Integer, nullable=False),
    sa.Column("buffer_before_minutes", sa.Integer, nullable=False),
    sa.Column("buffer_after_minutes", sa.Integer, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("terms", JSONB, nullable=False, server_default="{}"),
    sa.Column("approval", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("busy_version", sa.BigInteger, nullable=False),
    instant("changed_at"),
    sa.Column("check_in", sa.Text, nullable=False, server_default="none"),
    sa.Column("grace_minutes", sa.Integer, nullable=False, server_default="30"),
    sa.Column("recovering", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("check_in IN ('none', 'asked') AND grace_minutes >= 0", name="resources_check_in"),
    sa.CheckConstraint("capacity >= 1", name="resources_capacity"),
    sa.CheckConstraint("status IN ('open', 'closed')", name="resources_status"),
)

bookings = sa.Table(
    "bookings",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("offer_id", sa.Uuid, nullable=False),
    sa.Column("offer_title", sa.Text, nullable=False),
    sa.Column("resource_origin", sa.Text),
    sa.Column("origin_name", sa.Text),
    sa.Column("borrower_member_id", sa.Uuid),
    sa.Column("borrower_name", sa.Text),
    sa.Column("borrower_peer_id", sa.Text),
    sa.Column("borrower_peer_name", sa.Text),
    sa.Column("borrower_pseudonym", sa.Text),
    sa.Column("owner_member_id", sa.Uuid),
    sa.Column("owner_name", sa.Text),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("occupied", SpanType),
    sa.Column("exclusive", sa.Boolean, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("place_label", sa.Text),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("circle_id", sa.Uuid),
    sa.Column("circle_name", sa.Text),
    sa.Column("price", JSONB),
    sa.Column("instructions", sa.Text, nullable=False, server_default=""),
    sa.Column("cancel_notice_minutes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("private", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("approved_by", ARRAY(sa.Uuid), nullable=False, server_default="{}"),
    sa.Column("waiting_id", sa.Uuid),
    sa.Column("series_id", sa.Uuid),
    sa.Column("series_position", sa.Integer),
    sa.Column("series_size", sa.Integer),
    instant("occurrence", nullable=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    instant("decide_by", nullable=True),
    sa.Column("remote_version", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    instant("created_at"),
    instant("changed_at"),
    sa.Column("grace_minutes", sa.Integer),
    sa.Column("check_in_code", sa.Text),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default="0"),
    instant("checked_in_at", nullable=True),
    instant("checked_out_at", nullable=True),
    sa.Column("change_number", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("change_decided", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("change_reason", sa.Text),
    sa.Column("withdrawal_number", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("proposal", JSONB(none_as_null=True)),
    # Rule 1, for exclusive resources. For every capacity the trigger `bookings_never_exceed` holds it (migration 0002).
    # One index for both: a lane that is NULL meets nobody, but is found.
    ExcludeConstraint(
        (sa.column("offer_id"), "="),
        (sa.column("occupied"), "&&"),
        (sa.text("(CASE WHEN exclusive THEN 0 END)"), "="),
        using="gist",
        where=sa.text(IS_OCCUPYING),
        name=NEVER_OVERLAP,
    ),
    sa.CheckConstraint(
        "NOT (resource_origin IS NULL AND status = 'held') OR decide_by IS NOT NULL", name="bookings_held_ends"
    ),
    sa.CheckConstraint("status = 'declined' OR quantity >= 1", name="bookings_quantity"),
    sa.CheckConstraint("NOT isempty(occupied)", name="bookings_occupied_not_empty"),
    sa.CheckConstraint(f"NOT ({IS_OCCUPYING}) OR occupied IS NOT NULL", name="bookings_occupying_has_span"),
    sa.CheckConstraint("status = 'declined' OR starts_at < ends_at", name="bookings_period"),
    sa.CheckConstraint("borrower_member_id IS NULL OR borrower_peer_id IS NULL", name="bookings_one_borrower"),
    sa.Index("bookings_of_borrower", "borrower_member_id", "starts_at", "id"),
    sa.Index("bookings_held_by", "borrower_member_id", postgresql_where=sa.text("status IN ('held')")),
    sa.Index(
        "bookings_waiting_of", "borrower_member_id", postgresql_where=sa.text("status IN ('pending', 'cancelling')")
    ),
    sa.Index("bookings_of_owner", "owner_member_id", "starts_at", "id"),
    sa.Index("bookings_of_offer", "offer_id", "starts_at"),
    sa.Index(
        "bookings_kept_for_line",
        "offer_id",
        postgresql_where=sa.text("status = 'held' AND waiting_id IS NOT NULL"),
    ),
    sa.Index("bookings_waiting", "decide_by", postgresql_where=sa.text("status = 'pending'")),
    sa.Index("bookings_to_complete", "ends_at", postgresql_where=sa.text("status = 'confirmed'")),
    sa.Index(
        "bookings_to_arrive",
        "starts_at",
        postgresql_where=sa.text("status = 'confirmed' AND grace_minutes IS NOT NULL AND resource_origin IS NULL"),
    ),
    sa.Index(
        "bookings_to_return",
        "ends_at",
        postgresql_where=sa.text("status IN ('in_use', 'overdue') AND resource_origin IS NULL"),
    ),
    sa.Index("bookings_open_with_origin", "resource_origin", postgresql_where=sa.text("resource_origin IS NOT NULL")),
    sa.CheckConstraint(
        "(series_id IS NULL) = (occurrence IS NULL) AND (series_id IS NULL) = (series_position IS NULL)"
        " AND (series_id IS NULL) = (series_size IS NULL)",
        name="bookings_in_series",
    ),
    sa.Index(
        "bookings_of_series", "series_id", "occurrence", unique=True, postgresql_where=sa.text("series_id IS NOT NULL")
    ),
    sa.Index("bookings_open_with_peer", "borrower_peer_id", postgresql_where=sa.text("borrower_peer_id IS NOT NULL")),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("offer_id", sa.Uuid, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("occupied", SpanType, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("asked_by_owner", sa.Boolean, nullable=False),
    instant("decide_by"),
    instant("asked_at"),
    sa.Column("together", sa.Uuid),
    sa.CheckConstraint("NOT isempty(occupied) AND starts_at < ends_at", name="changes_period"),
    sa.CheckConstraint("quantity >= 1", name="changes_quantity"),
    sa.Index("changes_by_span", "offer_id", "occupied", postgresql_using="gist"),
    sa.Index("changes_waiting", "decide_by"),
    sa.Index("changes_together", "together", postgresql_where=sa.text("together IS NOT NULL")),
)
"""A change of period or quantity that waits for an answer, one at most for a booking; decided ones are gone.

Those with the same `together` are asked for several bookings of a series and answered at once; their `occupied` are
shared out among them (`domain/series.py: shared_out`).
"""

changes_abroad = sa.Table(
    "changes_abroad",
    metadata,
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    instant("decide_by"),
    instant("asked_at"),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("by_owner", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("accepted", sa.Boolean),
)
"""What our members ask to change of bookings at peers, or (`by_owner`) are asked to agree to; one for each booking.

It occupies nothing here, and only the peer's answer ends it. `accepted`: what our member has said to it.
"""

category_quotas = sa.Table(
    "category_quotas",
    metadata,
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("most", sa.Integer, nullable=False),
)
"""How much of all our offers of a category together one member, circle or peer may book."""

busy_to_tell = sa.Table(
    "busy_to_tell",
    metadata,
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    instant("since"),
)
"""Resources whose busy times have changed and have not been told yet."""

history = sa.Table(
    "history",
    metadata,
    sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False, index=True),
    instant("at"),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("by_name", sa.Text),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("booking_id", sa.Uuid, primary_key=True),
    sa.Column("reason", sa.Text),
    instant("at"),
)

mapping = registry(metadata=metadata)
mapping.map_imperatively(Booking, bookings)

"""The tables of booking, and what maps to them."""

from services.booking.tables.bookings import (
    IS_OCCUPYING,
    NEVER_OVERLAP,
    bookings,
    busy_to_tell,
    category_quotas,
    changes,
    changes_abroad,
    history,
    mapping,
    resources,
    withdrawals,
)
from services.booking.tables.calendars import external_busy, external_calendars, feeds, resource_calendars
from services.booking.tables.columns import OURS, SpanType, metadata
from services.booking.tables.copies import circles, links, members, offers, peer_busy, peer_resources, recovery
from services.booking.tables.series import series
from services.booking.tables.sessions import session_roles, session_sign_ups, sessions
from services.booking.tables.uses import uses
from services.booking.tables.waiting import places_freed, waiting

__all__ = [
    "IS_OCCUPYING",
    "NEVER_OVERLAP",
    "OURS",
    "SpanType",
    "bookings",
    "busy_to_tell",
    "category_quotas",
    "changes",
    "changes_abroad",
    "circles",
    "external_busy",
    "external_calendars",
    "feeds",
    "history",
    "links",
    "mapping",
    "members",
    "metadata",
    "offers",
    "peer_busy",
    "peer_resources",
    "places_freed",
    "recovery",
    "resource_calendars",
    "resources",
    "series",
    "session_roles",
    "session_sign_ups",
    "sessions",
    "uses",
    "waiting",
    "withdrawals",
]

"""Reads: rows to what the rules and the views ask for."""

from services.booking.queries.bookings import (
    HistoryLine,
    approvals_of,
    booking,
    database_time,
    history_of,
    occupied,
    pending_count,
    upcoming,
)
from services.booking.queries.calendars import (
    bookings_shown,
    circle_name,
    external_busy,
    external_of,
    feed_of_secret,
    feeds_of,
    follows,
    offers_that_follow,
)
from services.booking.queries.offers import LINKED, has_ended_with, is_linked, offer, peer_busy_times, resource
from services.booking.queries.people import circles_of, member, person_of

__all__ = [
    "LINKED",
    "HistoryLine",
    "approvals_of",
    "booking",
    "bookings_shown",
    "circle_name",
    "circles_of",
    "database_time",
    "external_busy",
    "external_of",
    "feed_of_secret",
    "feeds_of",
    "follows",
    "has_ended_with",
    "history_of",
    "is_linked",
    "member",
    "occupied",
    "offer",
    "offers_that_follow",
    "peer_busy_times",
    "pending_count",
    "person_of",
    "resource",
    "upcoming",
]

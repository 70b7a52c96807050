"""Reads: rows to what the rules and the views ask for."""

from services.booking.queries.asked import Asked, Facts, Known, Versions
from services.booking.queries.bookings import (
    Deciding,
    HistoryLine,
    above,
    booking,
    changes_of,
    database_time,
    deciding_of,
    history_of,
    pending_count,
    upcoming,
)
from services.booking.queries.calendars import (
    bookings_shown,
    external_of,
    feed_of_secret,
    feeds_of,
    follows,
    offers_that_follow,
)
from services.booking.queries.occupied import Taken, occupied, occupied_of, taken_of
from services.booking.queries.offers import LINKED, has_ended_with, is_linked, like, offer, peer_busy_times, resource
from services.booking.queries.people import circles_of, member, member_with, person_of
from services.booking.queries.places import Occupying, occupying_after, resource_held
from services.booking.queries.series import bookings_of_series, dates_that_wait, series_of

__all__ = [
    "LINKED",
    "Asked",
    "Deciding",
    "Facts",
    "HistoryLine",
    "Known",
    "Occupying",
    "Taken",
    "Versions",
    "above",
    "booking",
    "bookings_of_series",
    "bookings_shown",
    "changes_of",
    "circles_of",
    "database_time",
    "dates_that_wait",
    "deciding_of",
    "external_of",
    "feed_of_secret",
    "feeds_of",
    "follows",
    "has_ended_with",
    "history_of",
    "is_linked",
    "like",
    "member",
    "member_with",
    "occupied",
    "occupied_of",
    "occupying_after",
    "offer",
    "offers_that_follow",
    "peer_busy_times",
    "pending_count",
    "person_of",
    "resource",
    "resource_held",
    "series_of",
    "taken_of",
    "upcoming",
]

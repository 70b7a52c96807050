"""Reads: rows to what the rules and the views ask for."""

from services.booking.queries.bookings import (
    Deciding,
    HistoryLine,
    above,
    booking,
    changes_of,
    database_time,
    deciding_of,
    history_of,
    occupied,
    pending_count,
    upcoming,
)
from services.booking.queries.offers import LINKED, has_ended_with, is_linked, like, offer, peer_busy_times, resource
from services.booking.queries.people import circles_of, member, person_of
from services.booking.queries.series import bookings_of_series, series_of

__all__ = [
    "LINKED",
    "Deciding",
    "HistoryLine",
    "above",
    "booking",
    "bookings_of_series",
    "changes_of",
    "circles_of",
    "database_time",
    "deciding_of",
    "has_ended_with",
    "history_of",
    "is_linked",
    "like",
    "member",
    "occupied",
    "offer",
    "peer_busy_times",
    "pending_count",
    "person_of",
    "resource",
    "series_of",
    "upcoming",
]

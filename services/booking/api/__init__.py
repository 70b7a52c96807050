"""The HTTP routes of booking."""

from services.booking.api import (
    arrivals,
    bookings,
    calendars,
    changes,
    feeds,
    resources,
    series,
    sessions,
    settling,
    uses,
    waiting,
)

routers = [
    resources.router,
    series.router,
    bookings.router,
    changes.router,
    sessions.router,
    feeds.router,
    calendars.router,
    arrivals.router,
    uses.router,
    waiting.router,
    settling.router,
]

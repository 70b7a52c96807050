"""The HTTP routes of booking."""

from services.booking.api import (
    arrivals,
    availability,
    bookings,
    calendars,
    changes,
    feeds,
    quotas,
    resources,
    series,
    sessions,
    settling,
    uses,
    waiting,
)

routers = [
    resources.router,
    availability.router,
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
    quotas.router,
]

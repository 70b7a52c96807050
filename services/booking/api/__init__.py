"""The HTTP routes of booking."""

from services.booking.api import arrivals, bookings, calendars, changes, feeds, quotas, resources, sessions, uses

routers = [
    resources.router,
    bookings.router,
    changes.router,
    sessions.router,
    feeds.router,
    calendars.router,
    arrivals.router,
    uses.router,
    quotas.router,
]

"""The HTTP routes of booking."""

from services.booking.api import bookings, calendars, changes, feeds, quotas, resources, sessions

routers = [
    resources.router,
    bookings.router,
    changes.router,
    sessions.router,
    feeds.router,
    calendars.router,
    quotas.router,
]

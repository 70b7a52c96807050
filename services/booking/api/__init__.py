"""The HTTP routes of booking."""

from services.booking.api import bookings, calendars, changes, feeds, resources

routers = [resources.router, bookings.router, changes.router, feeds.router, calendars.router]

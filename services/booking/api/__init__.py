"""The HTTP routes of booking."""

from services.booking.api import bookings, calendars, feeds, resources

routers = [resources.router, bookings.router, feeds.router, calendars.router]

"""The HTTP routes of booking."""

from services.booking.api import bookings, changes, resources, sessions

routers = [resources.router, bookings.router, changes.router, sessions.router]

"""The HTTP routes of booking."""

from services.booking.api import bookings, resources, sessions

routers = [resources.router, bookings.router, sessions.router]

"""The HTTP routes of booking."""

from services.booking.api import bookings, changes, resources, waiting

routers = [resources.router, bookings.router, changes.router, waiting.router]

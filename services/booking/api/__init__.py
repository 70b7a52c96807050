"""The HTTP routes of booking."""

from services.booking.api import bookings, changes, resources, settling, waiting

routers = [resources.router, bookings.router, changes.router, waiting.router, settling.router]

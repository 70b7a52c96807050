"""The HTTP routes of booking."""

from services.booking.api import bookings, changes, resources, series

routers = [resources.router, series.router, bookings.router, changes.router]

"""The HTTP routes of booking."""

from services.booking.api import bookings, resources

routers = [resources.router, bookings.router]

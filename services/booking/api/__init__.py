"""The HTTP routes of booking."""

from services.booking.api import bookings, changes, quotas, resources

routers = [resources.router, bookings.router, changes.router, quotas.router]

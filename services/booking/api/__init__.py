"""The HTTP routes of booking."""

from services.booking.api import arrivals, bookings, changes, resources, uses

routers = [resources.router, bookings.router, changes.router, arrivals.router, uses.router]

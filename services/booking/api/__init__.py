"""The HTTP routes of booking."""

from services.booking.api import arrivals, bookings, resources, uses

routers = [resources.router, bookings.router, arrivals.router, uses.router]

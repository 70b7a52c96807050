"""The HTTP routes of booking."""

from services.booking.api import arrivals, bookings, changes, resources, sessions, uses

routers = [resources.router, bookings.router, changes.router, sessions.router, arrivals.router, uses.router]

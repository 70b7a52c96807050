"""What booking says: how a resource can be booked, when it is busy, and the life of every booking."""

from contracts.booking.bookings import (
    BookingCancellationAsked,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingEvent,
    BookingExpired,
    BookingRequested,
    BookingState,
    Party,
    Status,
)
from contracts.booking.resources import (
    Approval,
    BusyChanged,
    Interval,
    OpeningHours,
    ResourceChanged,
    ResourceState,
)

__all__ = [
    "Approval",
    "BookingCancellationAsked",
    "BookingCancelled",
    "BookingCompleted",
    "BookingConfirmed",
    "BookingDeclined",
    "BookingEvent",
    "BookingExpired",
    "BookingRequested",
    "BookingState",
    "BusyChanged",
    "Interval",
    "OpeningHours",
    "Party",
    "ResourceChanged",
    "ResourceState",
    "Status",
]

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
    CheckIn,
    Interval,
    OpeningHours,
    ResourceChanged,
    ResourceState,
)
from contracts.booking.use import BookingStartAtRisk, UseState
from contracts.booking.values import UsedValue, ValueUnit

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
    "BookingStartAtRisk",
    "BookingState",
    "BusyChanged",
    "CheckIn",
    "Interval",
    "OpeningHours",
    "Party",
    "ResourceChanged",
    "ResourceState",
    "Status",
    "UseState",
    "UsedValue",
    "ValueUnit",
]

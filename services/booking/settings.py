"""What can be set for booking, beside what every service needs."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class BookingSettings(ServiceSettings):
    """Limits and rhythm.

    `booking_pending_per_member`, `booking_pending_per_peer`: how many requests may wait (rule 8).
    `booking_hold_minutes`: how long a period is kept while a form is open.
    `booking_wishes_per_member`: for how many periods one member may wait.
    `booking_accept_hours`: how long a place that became free is kept for the next in line.
    `booking_series_days`: how far ahead a series may go, whatever the horizon of single bookings.
    `booking_sweep_seconds`: how often undecided requests expire and past bookings are completed by themselves
    (an expired request that blocks another gives way at once).
    `booking_calendar_minutes`: how often a member's calendar elsewhere is read. `booking_calendar_allow_private`: such
    calendars may be at private addresses, without TLS (the demo, tests).
    """

    booking_calendar_allow_private: bool = False
    booking_calendar_minutes: int = Field(default=30, ge=1)
    booking_pending_per_member: int = Field(default=10, ge=1)
    booking_pending_per_peer: int = Field(default=20, ge=1)
    booking_hold_minutes: int = Field(default=10, ge=1, le=60)
    booking_wishes_per_member: int = Field(default=5, ge=1, le=50)
    booking_accept_hours: float = Field(default=12.0, gt=0, le=24 * 7)
    booking_series_days: int = Field(default=800, ge=1, le=1500)
    booking_sweep_seconds: float = Field(default=10.0, gt=0)

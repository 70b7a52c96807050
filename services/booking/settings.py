"""What can be set for booking, beside what every service needs."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class BookingSettings(ServiceSettings):
    """`booking_pending_per_member`, `booking_pending_per_peer`: rule 8. `booking_sweep_seconds`: how often ended
    requests expire and past bookings are completed by themselves (a blocking one gives way at once).
    """

    booking_pending_per_member: int = Field(default=10, ge=1)
    booking_pending_per_peer: int = Field(default=20, ge=1)
    booking_sweep_seconds: float = Field(default=10.0, gt=0)

"""The trail of coordinators' acts in booking."""

from typing import ClassVar

from contracts.acts import ActRecorded


class BookingActRecorded(ActRecorded):
    """A coordinator or administrator changed something in booking."""

    type: ClassVar[str] = "booking.act_recorded.v1"

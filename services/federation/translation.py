"""From what a peer said at the border to what our own services hear. Only what has passed the gate gets here."""

from contracts import border
from contracts.envelope import Event
from contracts.federation import (
    BookingAnswerReceived,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    BusyReceived,
    ContactReceived,
    ListingGone,
    ListingReceived,
    ResourceReceived,
)


def inside(event: Event, *, origin: str, origin_name: str, epoch: int) -> Event:  # noqa: PLR0911 - a table of types
    """`event` of the peer `origin` as our services hear it. Raises TypeError for a type that has no meaning inside."""
    said_by = {"origin": origin, "origin_name": origin_name}
    match event:
        case border.BorderListingPublished():
            return ListingReceived(**said_by, epoch=epoch, listing=event.listing)
        case border.BorderListingWithdrawn():
            return ListingGone(**said_by, epoch=epoch, id=event.id, version=event.version)
        case border.BorderResourceChanged():
            return ResourceReceived(**said_by, epoch=epoch, resource=event.resource)
        case border.BorderBusyChanged():
            return BusyReceived(**said_by, epoch=epoch, busy=event.busy)
        case border.BorderBookingRequested():
            return BookingRequestReceived(**said_by, **event.model_dump())
        case border.BorderBookingWithdrawn():
            return BookingWithdrawalReceived(**said_by, **event.model_dump())
        case border.BorderBookingAnswered():
            return BookingAnswerReceived(**said_by, **event.model_dump())
        case border.BorderContactShared():
            return ContactReceived(**said_by, **event.model_dump())
        case _:
            raise TypeError(f"{event.type} has no meaning inside")

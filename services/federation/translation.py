"""From what our services say to what crosses, and back. What comes from a peer has passed the gate before."""

from contracts import border
from contracts.booking import (
    BookingCancellationAsked,
    BookingChangeAsked,
    BookingChangeWithdrawalAsked,
    BookingEvent,
    BookingRequested,
    BookingStartAtRisk,
    BookingUseAsked,
)
from contracts.envelope import Event
from contracts.federation import (
    BookingAnswerReceived,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    BusyReceived,
    ChangeRequestReceived,
    ChangeWithdrawalReceived,
    ContactReceived,
    ListingGone,
    ListingReceived,
    ResourceReceived,
    UseReportReceived,
)
from services.federation.shareable import booking_answer, booking_request, change_request


def inside(event: Event, *, origin: str, origin_name: str, epoch: int) -> Event:  # noqa: C901, PLR0911 - a table of types
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
        case border.BorderChangeRequested():
            return ChangeRequestReceived(**said_by, **event.model_dump())
        case border.BorderChangeWithdrawn():
            return ChangeWithdrawalReceived(**said_by, **event.model_dump())
        case border.BorderUseReported():
            return UseReportReceived(**said_by, **event.model_dump())
        case border.BorderBookingAnswered():
            return BookingAnswerReceived(**said_by, **event.model_dump())
        case border.BorderContactShared():
            return ContactReceived(**said_by, **event.model_dump())
        case _:
            raise TypeError(f"{event.type} has no meaning inside")


def outside(event: BookingEvent, pseudonym: str) -> Event | None:  # noqa: PLR0911 - a table of types
    """What the peer concerned is told of `event`; None when it is nothing for it. Our member is its `pseudonym`."""
    booking = event.booking
    if booking.resource_origin is None:
        return booking_answer(booking, start_at_risk=isinstance(event, BookingStartAtRisk))
    match event:
        case BookingRequested():
            return booking_request(booking, pseudonym)
        case BookingCancellationAsked():
            number = booking.withdrawal_number
            return border.BorderBookingWithdrawn(booking_id=booking.id, reason=booking.reason, number=number)
        case BookingChangeAsked():
            return change_request(booking.id, event.change)
        case BookingChangeWithdrawalAsked():
            return border.BorderChangeWithdrawn(booking_id=booking.id, number=event.change.number)
        case BookingUseAsked():
            return border.BorderUseReported(booking_id=booking.id, step=event.step)
        case _:
            return None

"""From what our services say to what crosses, and back. What comes from a peer has passed the gate before."""

from contracts import border
from contracts.booking import (
    BookingCancellationAsked,
    BookingChangeAnswered,
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
    ChangeAnswerReceived,
    ChangeRequestReceived,
    ChangeWithdrawalReceived,
    ContactReceived,
    IntroductionAnswerReceived,
    IntroductionReceived,
    IntroductionRequestReceived,
    IntroductionWithdrawalReceived,
    ListingGone,
    ListingReceived,
    Received,
    ResourceReceived,
    UseReportReceived,
)
from services.federation.shareable import booking_answer, booking_request, change_request

_SAME_WORDS: dict[type[Event], type[Received]] = {
    border.BorderBookingRequested: BookingRequestReceived,
    border.BorderBookingWithdrawn: BookingWithdrawalReceived,
    border.BorderChangeRequested: ChangeRequestReceived,
    border.BorderChangeWithdrawn: ChangeWithdrawalReceived,
    border.BorderChangeAnswered: ChangeAnswerReceived,
    border.BorderUseReported: UseReportReceived,
    border.BorderBookingAnswered: BookingAnswerReceived,
    border.BorderContactShared: ContactReceived,
    border.BorderIntroductionRequested: IntroductionRequestReceived,
    border.BorderIntroductionAnswered: IntroductionAnswerReceived,
    border.BorderIntroductionWithdrawn: IntroductionWithdrawalReceived,
    border.BorderIntroduced: IntroductionReceived,
}
"""What is said inside in the same words."""


def inside(event: Event, *, origin: str, origin_name: str, epoch: int) -> Event:
    """`event` of the peer `origin` as our services hear it. Raises TypeError for a type that has no meaning inside."""
    said_by = {"origin": origin, "origin_name": origin_name}
    if (received := _SAME_WORDS.get(type(event))) is not None:
        return received.model_validate(event.model_dump() | said_by)
    match event:
        case border.BorderListingPublished():
            return ListingReceived(**said_by, epoch=epoch, listing=event.listing)
        case border.BorderListingWithdrawn():
            return ListingGone(**said_by, epoch=epoch, id=event.id, version=event.version)
        case border.BorderResourceChanged():
            return ResourceReceived(**said_by, epoch=epoch, resource=event.resource)
        case border.BorderBusyChanged():
            return BusyReceived(**said_by, epoch=epoch, busy=event.busy)
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
            return None if event.change.by_owner else change_request(booking.id, event.change)
        case BookingChangeAnswered():
            number = event.change.number
            return border.BorderChangeAnswered(booking_id=booking.id, number=number, accepted=event.accepted)
        case BookingChangeWithdrawalAsked():
            return border.BorderChangeWithdrawn(booking_id=booking.id, number=event.change.number)
        case BookingUseAsked():
            return border.BorderUseReported(booking_id=booking.id, step=event.step)
        case _:
            return None

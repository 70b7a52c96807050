"""What people write when they book."""

from datetime import UTC, datetime, timedelta

from contracts.border import BorderBookingWithdrawn
from services.booking.api.forms import BookingForm, ReasonForm
from services.chassis.ids import new_id
from services.federation.bounds import first_breach


def test_pasted_control_characters_do_not_make_a_text_that_peers_refuse() -> None:
    """A request that the peer's gate refuses is never answered: it would wait for ever."""
    pasted = "Deux pièces,\x0b à découper\x1b[0m\x00\nMerci\x0c"
    start = datetime(2026, 6, 1, 8, tzinfo=UTC)
    form = BookingForm(offer_id=new_id(), start=start, end=start + timedelta(hours=1), note=pasted)
    assert form.note == "Deux pièces, à découper[0m\nMerci"
    reason = ReasonForm(reason=pasted).reason
    assert first_breach(BorderBookingWithdrawn(booking_id=new_id(), reason=reason)) is None

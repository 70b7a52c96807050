"""Contacts cross only with a confirmed booking, once, and reach only the person concerned."""

import pytest

from contracts.booking import BookingCancelled, BookingConfirmed, BookingRequested
from contracts.federation import ContactReceived
from contracts.notify import ContactDisclosed
from services.chassis import ids
from services.notify.commands.disclosing import BookingNotKnownYet
from tests.services.notify.conftest import NAMUR, Notify, booking, later


async def test_our_borrower_is_disclosed_to_the_peer_that_owns_the_resource(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = booking(bea, None)
    await notify.tell(BookingRequested(booking=state))
    assert await notify.said() == []
    await notify.tell(BookingConfirmed(booking=later(state, status="confirmed")))
    expected = ContactDisclosed(
        booking_id=state.id, peer_id=NAMUR, name="Bea", email="bea@lille.example", member_id=bea
    )
    assert await notify.said() == [expected]


async def test_our_owner_is_disclosed_to_the_borrowers_peer(notify: Notify) -> None:
    omar = await notify.member("Omar")
    state = booking(None, omar, status="confirmed")
    await notify.tell(BookingConfirmed(booking=state))
    expected = ContactDisclosed(
        booking_id=state.id, peer_id=NAMUR, name="Omar", email="omar@lille.example", member_id=omar
    )
    assert await notify.said() == [expected]


async def test_a_booking_among_our_own_discloses_nothing(notify: Notify) -> None:
    await notify.tell(BookingConfirmed(booking=booking(await notify.member("Bea"), await notify.member("Omar"))))
    assert await notify.said() == []


async def test_a_disclosure_waits_for_the_address_and_happens_once(notify: Notify) -> None:
    bea = await notify.member("Bea", contact=False)
    await notify.tell(BookingConfirmed(booking=booking(bea, None, status="confirmed")))
    assert await notify.said() == []
    await notify.tell_contact(bea, "Bea", "bea@lille.example")
    await notify.tell_contact(bea, "Bea", "new@lille.example")
    [said] = await notify.said()
    assert isinstance(said, ContactDisclosed)
    assert said.email == "bea@lille.example"


async def test_somebody_who_has_left_is_not_disclosed(notify: Notify) -> None:
    bea = await notify.member("Bea")
    await notify.tell_contact(bea, "Bea", None)
    await notify.tell(BookingConfirmed(booking=booking(bea, None, status="confirmed")))
    assert await notify.said() == []


async def test_an_overtaken_confirmation_discloses_nothing(notify: Notify) -> None:
    state = booking(await notify.member("Bea"), None)
    await notify.tell(BookingCancelled(booking=later(later(state, status="confirmed"), status="cancelled"), by="owner"))
    await notify.tell(BookingConfirmed(booking=later(state, status="confirmed")))
    assert await notify.said() == []


def contact(booking_id: object, origin: str = NAMUR) -> ContactReceived:
    return ContactReceived.model_validate(
        {
            "origin": origin,
            "origin_name": "OpenFlow",
            "booking_id": booking_id,
            "name": "Paul",
            "email": "p@namur.example",
        }
    )


async def test_a_peers_contact_reaches_our_side_of_the_booking(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    there, here = booking(bea, None, status="confirmed"), booking(None, omar, status="confirmed")
    for state in (there, here):
        await notify.tell(BookingConfirmed(booking=state))
        await notify.tell(contact(state.id))
    for reader in (bea, omar):
        [newest, _] = await notify.inbox(reader)
        assert newest["body"] == "Paul (coopérative OpenFlow) : p@namur.example"


async def test_a_contact_for_another_peers_booking_or_an_unknown_one_is_not_delivered(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = booking(bea, None, status="confirmed")
    await notify.tell(BookingConfirmed(booking=state))
    for wrong in (contact(state.id, origin="peer-other"), contact(ids.new_id())):
        with pytest.raises(BookingNotKnownYet):
            await notify.tell(wrong)
    assert len(await notify.inbox(bea)) == 1

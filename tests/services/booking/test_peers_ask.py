"""A linked cooperative's people ask for our resources: the same rules, and always an answer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import BookingCancelled, BookingConfirmed, BookingDeclined, BookingEvent, BookingExpired
from contracts.catalog import Audience
from contracts.federation import (
    BookingRequestReceived,
    BookingWithdrawalReceived,
    ContactReceived,
    LinkChanged,
    LinkState,
)
from services.chassis.ids import new_id
from tests.services.booking.workshop import Workshop, at, types_of

NAMUR = "thumbprint-of-namur"


def request(workshop: Workshop, **changes: Any) -> BookingRequestReceived:
    values: dict[str, Any] = {
        "origin": NAMUR,
        "origin_name": "OpenFlow",
        "booking_id": new_id(),
        "offer_id": workshop.laser,
        "pseudonym": "p-7f3a",
        "start": at(9),
        "end": at(11),
        "quantity": 1,
        "note": "gravure",
        "decide_by": at(7),
    }
    return BookingRequestReceived(**(values | changes))


def withdrawal(booking_id: UUID, origin: str = NAMUR) -> BookingWithdrawalReceived:
    return BookingWithdrawalReceived(origin=origin, origin_name="OpenFlow", booking_id=booking_id, reason="grippe")


async def answers(workshop: Workshop) -> list[Any]:
    return await workshop.said(BookingEvent)


async def share(workshop: Workshop, **audience: Any) -> None:
    await workshop.publish(audience=Audience.model_validate({"scope": "peers"} | audience))


async def test_confirmed_answer_carries_owner_and_address(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(asked)
    (confirmed,) = await answers(workshop)
    assert isinstance(confirmed, BookingConfirmed)
    assert confirmed.booking.id == asked.booking_id
    assert confirmed.booking.owner.name == "Omar"
    assert confirmed.booking.place_label == "12 rue des Arts, Lille"
    assert confirmed.booking.borrower.name is None
    assert (confirmed.booking.borrower.peer_id, confirmed.booking.borrower.pseudonym) == (NAMUR, "p-7f3a")
    contact = ContactReceived(
        origin=NAMUR, origin_name="OpenFlow", booking_id=asked.booking_id, name="Jeanne", email="j@example.org"
    )
    await workshop.hear(contact)
    seen = (await workshop.as_omar.get(f"/bookings/{asked.booking_id}")).json()
    assert seen["borrower"]["name"] == "Jeanne"


async def test_pending_request_tells_neither_address_nor_names_a_guest(workshop: Workshop) -> None:
    await share(workshop)
    await workshop.rules(approval="owner")
    asked = request(workshop)
    await workshop.hear(asked)
    (pending,) = await answers(workshop)
    assert pending.booking.status == "pending"
    assert pending.booking.place_label is None
    assert (await workshop.as_ana.get(f"/bookings/{asked.booking_id}")).status_code == 404
    approved = await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")
    assert approved.status_code == 200, approved.text
    assert types_of(await workshop.said()) == ["confirmed", "busy_changed"]


async def test_repeated_request_is_answered_again_and_books_once(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(asked)
    await workshop.hear(asked)
    first, second = await answers(workshop)
    assert first == second
    listed = await workshop.as_omar.get("/bookings", params={"role": "owner"})
    assert len(listed.json()["items"]) == 1


async def test_what_is_not_shared_or_taken_or_wrong_is_declined_with_a_reason(workshop: Workshop) -> None:
    await workshop.hear(request(workshop))
    await share(workshop, peer_ids=["somebody-else"])
    await workshop.hear(request(workshop))
    for refused in await answers(workshop):
        assert isinstance(refused, BookingDeclined)
        assert refused.booking.reason is not None
        assert refused.booking.reason.startswith("Cette offre n'existe pas")
        assert refused.booking.offer_title == ""
        assert refused.booking.owner.name is None
        assert refused.booking.note == ""
    await share(workshop, peer_ids=[NAMUR])
    await workshop.book(workshop.as_ana, at(10), at(12))
    await workshop.said()
    wrong = [
        ({}, "Cette période n'est plus libre."),
        ({"start": at(6), "end": at(7)}, "Cette période sort des heures d'ouverture."),
        ({"end": at(8)}, "La fin doit venir après le début."),
        (
            {"start": datetime(1, 1, 1, tzinfo=UTC), "end": datetime(9999, 12, 31, tzinfo=UTC)},
            "Ce moment est déjà passé.",
        ),
        ({"quantity": 10**12}, "Au plus 1."),
    ]
    for changes, reason in wrong:
        asked = request(workshop, **changes)
        await workshop.hear(asked)
        (refused,) = await answers(workshop)
        assert (refused.type, refused.booking.reason) == (BookingDeclined.type, reason)
        await workshop.hear(asked)
        assert await answers(workshop) == [refused]


async def test_nothing_is_confirmed_after_the_time_to_decide(workshop: Workshop) -> None:
    await share(workshop)
    await workshop.hear(request(workshop, decide_by=datetime.now(UTC) - timedelta(seconds=1)))
    (late,) = await answers(workshop)
    assert isinstance(late, BookingExpired)
    await workshop.rules(approval="owner")
    asked = request(workshop)
    await workshop.hear(asked)
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s' WHERE status = 'pending'")
    answer = await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:maillage:problem:booking/too-late-to-decide")


async def test_a_peer_has_twenty_requests_waiting_at_most(workshop: Workshop) -> None:
    await share(workshop)
    await workshop.rules(approval="owner")
    for number in range(21):
        start = at(9, days=3 + number)
        await workshop.hear(request(workshop, start=start, end=start + timedelta(hours=1)))
    told = await answers(workshop)
    assert types_of(told) == ["requested"] * 20 + ["declined"]
    assert told[-1].booking.reason.startswith("20 demandes attendent")


async def test_withdrawal_frees_the_period_and_is_answered_each_time(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(asked)
    await workshop.said()
    await workshop.hear(withdrawal(asked.booking_id, origin="an-impostor"))
    assert await workshop.said() == []
    await workshop.hear(withdrawal(asked.booking_id))
    cancelled, busy = await workshop.said()
    assert isinstance(cancelled, BookingCancelled)
    assert (cancelled.by, cancelled.booking.reason, busy.busy) == ("borrower", "grippe", [])
    await workshop.hear(withdrawal(asked.booking_id))
    assert [event.booking for event in await answers(workshop)] == [cancelled.booking]
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_request_that_comes_after_its_withdrawal_is_refused_as_cancelled(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(withdrawal(asked.booking_id))
    assert await workshop.said() == []
    await workshop.hear(asked)
    (cancelled,) = await workshop.said()
    assert isinstance(cancelled, BookingCancelled)
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_id_of_another_persons_booking_is_left_alone(workshop: Workshop) -> None:
    await share(workshop)
    mine = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.said()
    await workshop.hear(request(workshop, booking_id=UUID(mine["id"])))
    await workshop.hear(withdrawal(UUID(mine["id"])))
    assert await workshop.said() == []
    assert (await workshop.as_ana.get(f"/bookings/{mine['id']}")).json()["status"] == "confirmed"


async def test_end_of_the_link_calls_off_what_is_open(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(asked)
    await workshop.said()
    link = LinkState(
        link_id=new_id(), peer_id=NAMUR, peer_name="OpenFlow", peer_web="https://x.example", status="ended", version=3
    )
    await workshop.hear(LinkChanged(link=link))
    cancelled, busy = await workshop.said()
    assert (cancelled.booking.id, cancelled.by, busy.busy) == (asked.booking_id, "system", [])


async def test_request_that_arrives_after_the_link_has_ended_takes_no_place(workshop: Workshop) -> None:
    """Events have no order: nobody would be left to call it off, or to be told."""
    await share(workshop)
    state = LinkState(
        link_id=new_id(), peer_id=NAMUR, peer_name="OpenFlow", peer_web="https://x.example", status="ended", version=9
    )
    await workshop.hear(LinkChanged(link=state))
    await workshop.hear(request(workshop))
    assert await answers(workshop) == []
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201

"""Our members ask for a peer's resource: only the peer decides, and its answers may come late, twice, or crossed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.booking import BookingCancellationAsked, BookingConfirmed, BookingRequested, Interval
from contracts.federation import (
    BookingAnswerReceived,
    BusyReceived,
    LinkChanged,
    LinkState,
    ListingGone,
    ListingReceived,
    ResourceReceived,
)
from contracts.shared import RoundedPlace, SharedBusy, SharedListing, SharedResource
from services.booking import queries
from services.booking.tables import peer_resources
from services.chassis.ids import new_id
from tests.services.booking.workshop import RULES, Workshop, at, types_of

NAMUR = "thumbprint-of-namur"
FROM_NAMUR: dict[str, Any] = {"origin": NAMUR, "origin_name": "OpenFlow"}
LINK = new_id()


def link(status: Any, version: int) -> LinkChanged:
    state = LinkState(
        link_id=LINK, peer_id=NAMUR, peer_name="OpenFlow", peer_web="https://x.example", status=status, version=version
    )
    return LinkChanged(link=state)


def oven(offer_id: UUID, *, version: int = 1) -> ListingReceived:
    listing = SharedListing(
        id=offer_id,
        side="offer",
        kind="machine",
        title="Four à céramique",
        text="",
        category="atelier",
        language="fr",
        place=RoundedPlace(label="Namur"),
        quantity=1,
        unit="four",
        public=False,
        valid_until=None,
        window_start=None,
        window_end=None,
        urgency="normal",
        version=version,
        changed_at=datetime.now(UTC),
    )
    return ListingReceived(**FROM_NAMUR, epoch=1, listing=listing)


def oven_rules(offer_id: UUID) -> ResourceReceived:
    told = {"lead_minutes": 0, "horizon_days": 60, "buffer_before_minutes": 0, "buffer_after_minutes": 0}
    told |= {"capacity": 1, "status": "open", "version": 1, "offer_id": offer_id, "approval": "owner"}
    resource = SharedResource.model_validate(RULES | told)
    return ResourceReceived(**FROM_NAMUR, epoch=1, resource=resource)


@pytest.fixture
async def linked(workshop: Workshop) -> Workshop:
    """The workshop of a cooperative that is linked with Namur, where an oven can be booked."""
    workshop.laser = new_id()
    await workshop.hear(link("active", 2))
    await workshop.hear(oven(workshop.laser))
    await workshop.hear(oven_rules(workshop.laser))
    return workshop


async def ask(linked: Workshop, **more: Any) -> dict[str, Any]:
    answer = await linked.book(linked.as_ana, at(9), at(11), origin=NAMUR, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def answer(booking: dict[str, Any], status: Any, version: int, **changes: Any) -> BookingAnswerReceived:
    values: dict[str, Any] = {
        **FROM_NAMUR,
        "booking_id": booking["id"],
        "status": status,
        "start": booking["start"],
        "end": booking["end"],
        "reason": None,
        "owner_name": "Bruno" if status == "confirmed" else None,
        "place_label": "3 quai de Meuse, Namur" if status == "confirmed" else None,
        "version": version,
    }
    return BookingAnswerReceived(**(values | changes))


async def status(linked: Workshop, booking: dict[str, Any]) -> str:
    return (await linked.as_ana.get(f"/bookings/{booking['id']}")).json()["status"]


async def test_request_is_pending_until_the_peer_confirms(linked: Workshop) -> None:
    booking = await ask(linked)
    assert (booking["status"], booking["resource_origin"], booking["origin_name"]) == ("pending", NAMUR, "OpenFlow")
    assert booking["owner"]["name"] is None
    (requested,) = await linked.said()
    assert isinstance(requested, BookingRequested)
    assert requested.booking.decide_by is not None
    await linked.hear(answer(booking, "confirmed", 2))
    (confirmed,) = await linked.said()
    assert isinstance(confirmed, BookingConfirmed)
    assert (confirmed.booking.owner.name, confirmed.booking.place_label) == ("Bruno", "3 quai de Meuse, Namur")


async def test_older_repeated_and_foreign_answers_change_nothing(linked: Workshop) -> None:
    booking = await ask(linked)
    await linked.hear(answer(booking, "confirmed", 2))
    await linked.said()
    for late in (
        answer(booking, "pending", 1),
        answer(booking, "confirmed", 2),
        answer(booking, "declined", 1),
        answer(booking, "cancelled", 9, origin="an-impostor"),
    ):
        await linked.hear(late)
    assert await linked.said() == []
    assert await status(linked, booking) == "confirmed"


async def test_cancelling_lasts_until_the_peer_has_answered_even_when_answers_cross(linked: Workshop) -> None:
    booking = await ask(linked)
    await linked.said()
    cancelled = await linked.as_ana.post(f"/bookings/{booking['id']}/cancel", json={"reason": "plus besoin"})
    assert cancelled.json()["status"] == "cancelling"
    (asked,) = await linked.said()
    assert isinstance(asked, BookingCancellationAsked)
    assert asked.booking.reason == "plus besoin"
    await linked.hear(answer(booking, "confirmed", 2))
    assert await status(linked, booking) == "cancelling"
    await linked.hear(answer(booking, "cancelled", 3))
    assert await status(linked, booking) == "cancelled"
    assert types_of(await linked.said()) == ["cancelled"]


async def test_what_the_copies_show_as_impossible_is_refused_at_once(linked: Workshop) -> None:
    busy = SharedBusy(
        offer_id=linked.laser,
        since=datetime.now(UTC),
        until=at(0, days=60),
        busy=[Interval(start=at(10), end=at(12))],
        version=4,
    )
    await linked.hear(BusyReceived(**FROM_NAMUR, epoch=1, busy=busy))
    taken = await linked.book(linked.as_ana, at(9), at(11), origin=NAMUR)
    assert (taken.status_code, bool(taken.json()["alternatives"])) == (409, True)
    outside = await linked.book(linked.as_ana, at(6), at(7), origin=NAMUR)
    assert (outside.status_code, outside.json()["errors"][0]["code"]) == (422, "outside_hours")
    shown = await linked.as_ana.get(f"/resources/{linked.laser}/availability", params={"origin": NAMUR})
    assert shown.json()["as_of"] is not None


async def test_our_own_clock_never_ends_what_was_asked_of_a_peer(linked: Workshop) -> None:
    booking = await ask(linked)
    await linked.sql("UPDATE bookings SET decide_by = now() - interval '1 day'")
    (sweeper,) = [loop for loop in linked.service.loops if type(loop).__name__ == "Sweeper"]
    await sweeper.sweep()  # pyright: ignore[reportAttributeAccessIssue]
    assert await status(linked, booking) == "pending"


async def test_withdrawn_listing_and_its_tombstone(linked: Workshop) -> None:
    gone = ListingGone(**FROM_NAMUR, epoch=1, id=linked.laser, version=2)
    await linked.hear(gone)
    await linked.hear(oven(linked.laser))  # late, older
    refused = await linked.book(linked.as_ana, at(9), at(11), origin=NAMUR)
    assert refused.status_code == 404


async def test_an_offer_that_was_held_back_until_its_first_day_can_be_booked_then(linked: Workshop) -> None:
    await linked.hear(ListingGone(**FROM_NAMUR, epoch=1, id=linked.laser, version=2))
    await linked.hear(oven(linked.laser, version=2))
    await linked.hear(oven_rules(linked.laser))
    await ask(linked)


async def test_rules_said_again_outlive_a_withdrawal_said_before_and_heard_after(linked: Workshop) -> None:
    withdrawn = datetime.now(UTC)
    again = withdrawn + timedelta(seconds=1)
    await linked.hear(oven_rules(linked.laser), said_at=again)  # the same version as before the withdrawal
    await linked.hear(ListingGone(**FROM_NAMUR, epoch=1, id=linked.laser, version=2), said_at=withdrawn)
    await linked.hear(oven(linked.laser, version=2), said_at=again)
    await ask(linked)


async def test_rules_said_before_a_withdrawal_go_with_it(linked: Workshop) -> None:
    await linked.hear(ListingGone(**FROM_NAMUR, epoch=1, id=linked.laser, version=2))
    await linked.hear(oven(linked.laser, version=3))
    answer = await linked.book(linked.as_ana, at(9), at(11), origin=NAMUR)
    assert answer.status_code == 404, "nobody has said yet how it is booked now"


async def test_rules_that_come_after_their_link_has_ended_are_swept_away(linked: Workshop) -> None:
    await linked.hear(link("ended", 5))
    await linked.hear(oven_rules(linked.laser))
    await linked.sql("UPDATE links SET changed_at = now() - interval '11 minutes'")
    (sweeper,) = [loop for loop in linked.service.loops if type(loop).__name__ == "Sweeper"]
    await sweeper.sweep()  # pyright: ignore[reportAttributeAccessIssue]
    async with linked.db.reading() as session:
        left = sa.select(sa.func.count()).select_from(peer_resources)
        assert (await session.execute(left)).scalar() == 0


async def test_end_of_the_link_ends_requests_and_removes_copies(linked: Workshop) -> None:
    booking = await ask(linked)
    await linked.said()
    await linked.hear(link("ended", 5))
    (cancelled,) = await linked.said()
    assert (cancelled.by, await status(linked, booking)) == ("system", "cancelled")
    again = await linked.book(linked.as_ana, at(9), at(11), origin=NAMUR)
    assert again.json()["type"] == "urn:maillage:problem:booking/link-not-open"
    await linked.hear(answer(booking, "confirmed", 8))
    assert await status(linked, booking) == "cancelled"


async def test_ten_requests_of_a_member_may_wait_here_and_at_peers_together(linked: Workshop) -> None:
    for number in range(10):
        start = at(9, days=3 + number)
        answered = await linked.book(linked.as_ana, start, start + timedelta(hours=1), origin=NAMUR)
        assert answered.status_code == 201, answered.text
    start = at(9, days=20)
    refused = await linked.book(linked.as_ana, start, start + timedelta(hours=1), origin=NAMUR)
    assert (refused.status_code, refused.json()["limit"]) == (409, 10)


async def test_link_does_not_end_between_a_request_and_its_commit(linked: Workshop) -> None:
    """Or the request would be open for ever: nobody is left to answer it."""
    async with linked.db.transaction() as session:
        assert await queries.is_linked(session, NAMUR, hold=True)
        ending = asyncio.create_task(linked.hear(link("ended", 9)))
        await asyncio.sleep(0.2)
        assert not ending.done()
    await ending

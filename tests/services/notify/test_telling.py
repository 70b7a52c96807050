"""Who is told what, and who is not."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from contracts.booking import (
    Approval,
    BookingCancellationAsked,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    BookingStartAtRisk,
    Party,
    ResourceChanged,
    ResourceState,
)
from contracts.federation import LinkChanged, LinkState, LinkStatus, MessageRefused
from contracts.matching import MatchesProposed, Proposal, Reason
from services.chassis import ids
from services.notify.sweeping import sweep
from services.notify.tables import deliveries, notifications
from tests.services.notify.conftest import NAMUR, Notify, booking, later


async def templates(notify: Notify, member_id: UUID) -> list[str]:
    return [row["template"] for row in reversed(await notify.inbox(member_id))]


async def mailed(notify: Notify) -> list[tuple[str, str]]:
    return [(row["template"], row["status"]) for row in await notify.mails()]


async def three(notify: Notify) -> tuple[UUID, UUID, UUID]:
    """A borrower, an owner, a coordinator."""
    return await notify.member("Bea"), await notify.member("Omar"), await notify.member("Caro", role="coordinator")


async def approval(notify: Notify, offer_id: UUID, owner: UUID, how: Approval) -> None:
    rules = ResourceState(
        offer_id=offer_id, title="Laser", time_zone="Europe/Paris", opening_hours=[], step_minutes=30,
        minimum_minutes=30, maximum_minutes=600, lead_minutes=0, horizon_days=90, buffer_before_minutes=0,
        buffer_after_minutes=0, capacity=1, approval=how, owner_member_id=owner, status="open", version=1,
    )  # fmt: skip
    await notify.tell(ResourceChanged(resource=rules))


async def test_a_request_asks_the_owner_and_only_notes_it_for_the_borrower(notify: Notify) -> None:
    bea, omar, caro = await three(notify)
    state = booking(bea, omar)
    await notify.tell(BookingRequested(booking=state))
    assert await templates(notify, omar) == ["booking-to-decide"]
    assert await templates(notify, bea) == ["booking-asked"]
    assert await templates(notify, caro) == []
    assert await mailed(notify) == [("booking-to-decide", "waiting")]
    [asked] = await notify.inbox(omar)
    assert asked["url"] == f"/bookings/{state.id}"
    assert asked["title"] == "À décider : Découpeuse laser, pour Bea"


async def test_coordinators_are_asked_where_they_approve_and_where_the_owner_has_left(notify: Notify) -> None:
    bea, omar, caro = await three(notify)
    first, second = booking(bea, omar), booking(bea, omar)
    await approval(notify, first.offer_id, omar, "coordinator")
    await notify.tell(BookingRequested(booking=first))
    assert await templates(notify, caro) == ["booking-to-decide"]
    await notify.tell_member(omar, "Omar", left=True)
    await notify.tell(BookingRequested(booking=second))
    assert len(await templates(notify, caro)) == 2
    assert await templates(notify, omar) == []


async def test_a_request_handed_to_coordinators_does_not_tell_the_borrower_again(notify: Notify) -> None:
    bea, omar, caro = await three(notify)
    state = booking(bea, omar)
    await notify.tell(BookingRequested(booking=state))
    await notify.tell(BookingRequested(booking=later(state, owner=Party(name="Omar"))))
    assert await templates(notify, bea) == ["booking-asked"]
    assert await templates(notify, caro) == ["booking-to-decide"]


async def test_an_answer_settles_the_question(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    state = booking(bea, omar)
    await notify.tell(BookingRequested(booking=state))
    await notify.tell(BookingDeclined(booking=later(state, status="declined", reason="En panne")))
    [asked] = await notify.inbox(omar)
    assert asked["read_at"] is not None
    assert await mailed(notify) == [("booking-to-decide", "dropped"), ("booking-declined", "waiting")]
    assert "En panne" in (await notify.inbox(bea))[0]["body"]


async def test_an_overtaken_or_repeated_event_tells_nobody(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    state = booking(bea, omar)
    confirmed = later(state, status="confirmed")
    for _ in range(2):
        await notify.tell(BookingConfirmed(booking=confirmed))
    await notify.tell(BookingRequested(booking=state))
    assert await templates(notify, omar) == ["booking-confirmed-owner"]
    assert await templates(notify, bea) == ["booking-confirmed"]


async def test_peers_people_are_never_written_to(notify: Notify) -> None:
    omar = await notify.member("Omar")
    asked = booking(None, omar)
    await notify.tell(BookingRequested(booking=asked))
    await notify.tell(BookingConfirmed(booking=later(asked, status="confirmed")))
    assert await templates(notify, omar) == ["booking-to-decide", "booking-confirmed-owner"]
    assert {row["member_id"] for row in await notify.mails()} == {omar}
    assert "une personne de la coopérative OpenFlow" in (await notify.inbox(omar))[0]["body"]


async def test_a_booking_at_a_peer_from_request_to_end(notify: Notify) -> None:
    bea = await notify.member("Bea")
    state = booking(bea, None)
    await notify.tell(BookingRequested(booking=state))
    state = later(state, status="confirmed")
    await notify.tell(BookingConfirmed(booking=state))
    state = later(state, status="cancelling")
    await notify.tell(BookingCancellationAsked(booking=state))
    await notify.tell(BookingCancelled(booking=later(state, status="cancelled"), by="borrower"))
    assert await templates(notify, bea) == [
        "booking-asked",
        "booking-confirmed",
        "booking-cancellation-asked",
        "booking-cancelled",
    ]
    assert [template for template, _ in await mailed(notify)] == ["booking-confirmed", "booking-cancelled"]
    assert {row["about_origin"] for row in await notify.inbox(bea)} == {NAMUR}


async def test_a_withdrawn_request_that_the_owner_never_saw_does_not_bother_them(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify.tell(BookingCancelled(booking=booking(bea, omar, status="cancelled"), by="borrower"))
    assert await templates(notify, omar) == []
    assert await mailed(notify) == []


async def test_expiry_and_completion(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify.tell(BookingExpired(booking=booking(bea, omar, status="expired")))
    await notify.tell(BookingCompleted(booking=booking(bea, omar, status="completed")))
    assert await templates(notify, bea) == ["booking-expired", "booking-completed"]
    assert await templates(notify, omar) == ["booking-expired-owner", "booking-completed-owner"]
    assert [template for template, _ in await mailed(notify)] == ["booking-expired", "booking-expired-owner"]


async def test_preferences_choose_mails_and_each_reads_their_own_language(notify: Notify) -> None:
    ana, eve, nel = (
        await notify.member("Ana"),
        await notify.member("Eve", locale="en"),
        await notify.member("Nel", locale="nl"),
    )
    for member_id, wanted in ((ana, "important"), (eve, "none")):
        async with notify.client(member_id) as http:
            assert (await http.put("/preferences", json={"email": wanted})).json() == {"email": wanted}
    reasons = [Reason(code="distance", value="12.4")]
    proposal = Proposal(offer_id=ids.new_id(), origin=NAMUR, origin_name="OpenFlow", title="Laser", reasons=reasons)
    for member_id in (ana, eve, nel):
        event = MatchesProposed(
            need_id=ids.new_id(), need_title="Couper", need_owner_id=member_id, proposals=[proposal]
        )
        await notify.tell(event)
    assert [row["member_id"] for row in await notify.mails()] == [nel]
    bodies = [(await notify.inbox(member_id))[0]["body"] for member_id in (ana, eve, nel)]
    assert bodies == ["Laser (OpenFlow) : à 12 km.", "Laser (OpenFlow): 12 km away.", "Laser (OpenFlow): op 12 km."]


def link(status: LinkStatus, version: int, link_id: UUID) -> LinkChanged:
    state = LinkState(link_id=link_id, peer_id=NAMUR, peer_name="OpenFlow", peer_web="", status=status, version=version)
    return LinkChanged(link=state)


async def test_coordinators_hear_of_links_and_once_an_hour_of_refusals(notify: Notify) -> None:
    caro, ada = await notify.member("Caro", role="coordinator"), await notify.member("Ada", role="administrator")
    bea, link_id = await notify.member("Bea"), ids.new_id()
    steps: list[LinkStatus] = ["invited", "to_confirm", "opening", "active"]
    for version, status in enumerate(steps, 1):
        await notify.tell(link(status, version, link_id))
    await notify.tell(link("to_confirm", 2, link_id))
    for _ in range(3):
        await notify.tell(MessageRefused(link_id=link_id, reason="signature", count=1))
    for person in (caro, ada):
        assert await templates(notify, person) == ["link-changed", "link-changed", "message-refused"]
    assert await templates(notify, bea) == []


async def test_what_has_served_is_swept(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    await notify.tell(BookingExpired(booking=booking(bea, omar, status="expired")))
    async with notify.db.transaction() as session:
        await session.execute(sa.update(notifications).values(at=datetime(2020, 1, 1, tzinfo=UTC)))
        ended = {"status": "sent", "done_at": datetime(2020, 1, 1, tzinfo=UTC)}
        await session.execute(sa.update(deliveries).where(deliveries.c.member_id == bea).values(ended))
        await sweep(session, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert await notify.inbox(bea) == []
    assert [row["member_id"] for row in await notify.mails()] == [omar]


async def test_arrival_is_noted_and_lateness_told_to_both_until_it_is_given_back(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    confirmed = booking(bea, omar, status="confirmed")
    in_use = later(confirmed, status="in_use", checked_in_at=confirmed.start)
    overdue = later(in_use, status="overdue")
    cleaned = later(overdue, status="in_use", checked_out_at=confirmed.end)
    for state in (confirmed, in_use, overdue):
        await notify.tell(BookingConfirmed(booking=state))
    assert await templates(notify, bea) == ["booking-confirmed", "booking-in-use", "booking-overdue"]
    assert await templates(notify, omar) == ["booking-confirmed-owner", "booking-in-use-owner", "booking-overdue-owner"]
    late = [one for one in await mailed(notify) if "confirmed" not in one[0]]
    assert sorted(late) == [("booking-overdue", "waiting"), ("booking-overdue-owner", "waiting")]
    await notify.tell(BookingConfirmed(booking=cleaned))
    await notify.tell(BookingCompleted(booking=later(cleaned, status="completed")))
    assert (await templates(notify, bea))[-1] == "booking-completed"
    assert len(await templates(notify, bea)) == 4
    late = [one for one in await mailed(notify) if "overdue" in one[0]]
    assert {status for _, status in late} == {"dropped"}


async def test_no_show_is_told_to_both_and_mailed_to_the_borrower(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    await notify.tell(BookingCompleted(booking=booking(bea, omar, status="no_show")))
    assert await templates(notify, bea) == ["booking-no-show"]
    assert await templates(notify, omar) == ["booking-no-show-owner"]
    assert ("booking-no-show", "waiting") in await mailed(notify)


async def test_next_borrower_alone_is_warned_and_once(notify: Notify) -> None:
    bea, omar, _ = await three(notify)
    state = booking(bea, omar, status="confirmed", version=3)
    await notify.tell(BookingStartAtRisk(booking=state))
    await notify.tell(BookingStartAtRisk(booking=state))
    assert await templates(notify, bea) == ["booking-start-at-risk"]
    assert await templates(notify, omar) == []
    assert await mailed(notify) == [("booking-start-at-risk", "waiting")]

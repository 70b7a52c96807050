"""Things of ours over a real link: what arrives, in which form, in which time, and that it goes again."""

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.booking import (
    BookingCancellationAsked,
    BookingConfirmed,
    BookingRequested,
    BookingState,
    BusyChanged,
    Interval,
    OpeningHours,
    Party,
    ResourceChanged,
    ResourceState,
)
from contracts.catalog import Audience, ListingState, ListingWithdrawn
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
from contracts.notify import ContactDisclosed
from services.chassis import relay
from services.chassis.ids import new_id
from services.federation.tables import own_busy, own_listings
from tests.services.chassis.test_relay import FAST_ASLEEP
from tests.services.federation.pair import Pair, Post, eventually, listing, published

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)


def resource_of(offer: ListingState, *, version: int = 1) -> ResourceChanged:
    hours = [OpeningHours(weekday=day, opens="08:00", closes="20:00") for day in range(7)]
    state = ResourceState(
        offer_id=offer.id, title=offer.title, time_zone="Europe/Paris", opening_hours=hours, step_minutes=30,
        minimum_minutes=30, maximum_minutes=480, lead_minutes=0, horizon_days=90, buffer_before_minutes=0,
        buffer_after_minutes=0, capacity=1, approval="owner", owner_member_id=offer.owner_member_id, status="open",
        version=version,
    )  # fmt: skip
    return ResourceChanged(resource=state)


def busy_of(offer: ListingState, *, version: int = 1) -> BusyChanged:
    busy = [Interval(start=TOMORROW, end=TOMORROW + timedelta(hours=2))]
    return BusyChanged(
        offer_id=offer.id, since=TOMORROW, until=TOMORROW + timedelta(days=90), busy=busy, version=version
    )


def booking_of(offer: ListingState, **changes: Any) -> BookingState:
    base: dict[str, Any] = {
        "id": new_id(), "offer_id": offer.id, "offer_title": offer.title, "resource_origin": None, "origin_name": None,
        "borrower": Party(), "owner": Party(name="Ana Petit"), "start": TOMORROW,
        "end": TOMORROW + timedelta(hours=2), "time_zone": "Europe/Paris", "place_label": "12 rue des Arts, Lille",
        "quantity": 1, "note": "Pour des prototypes", "status": "pending", "reason": None,
        "decide_by": TOMORROW - timedelta(hours=1), "version": 1, "changed_at": datetime.now(UTC),
    }  # fmt: skip
    return BookingState(**(base | changes))


async def known(post: Post, offer_id: UUID) -> None:
    """Return once federation itself has heard of the offer."""

    async def there() -> bool:
        return any(row["id"] == offer_id for row in await post.rows(own_listings))

    await eventually(there)


async def can_be_booked(pair: Pair, offer: ListingState) -> None:
    """Lille says `offer` and its rules, and Namur has heard them, perhaps after what earlier tests have left there."""
    async with pair.namur.ear("matching", ResourceReceived) as resources:
        await pair.lille.say("catalog", published(offer))
        await pair.lille.say("booking", resource_of(offer))
        while (await resources()).resource.offer_id != offer.id:
            pass


async def test_a_new_peer_is_told_what_was_there_before(pair: Pair) -> None:
    offer, private = listing(title="Atelier couture"), listing(scope="cooperative")
    for state in (offer, private):
        await pair.lille.say("catalog", published(state))
    await pair.lille.say("booking", resource_of(offer))
    await pair.lille.say("booking", busy_of(offer))
    await known(pair.lille, offer.id)
    await known(pair.lille, private.id)

    async def busy_is_known() -> bool:
        return any(row["offer_id"] == offer.id for row in await pair.lille.rows(own_busy))

    await eventually(busy_is_known)
    namur = pair.namur
    async with (
        namur.ear("matching", ListingReceived) as listings,
        namur.ear("matching", ResourceReceived) as resources,
        namur.ear("matching", BusyReceived) as busy,
    ):
        await pair.link()
        received = await listings()
        assert received.origin == pair.lille.border.us
        assert received.listing.id == offer.id
        assert received.listing.place is not None
        assert (received.listing.place.label, received.listing.place.latitude) == ("Lille", 50.64)
        assert (await resources()).resource.offer_id == offer.id
        assert (await busy()).busy.busy == busy_of(offer).busy
        async with namur.ear("matching", ListingGone) as gone:
            await pair.lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=2, reason="withdrawn"))
            assert (await gone()).id == offer.id


async def test_what_a_peer_may_no_longer_see_is_withdrawn_from_it(pair: Pair) -> None:
    await pair.link()
    namur, offer = pair.namur, listing()
    async with namur.ear("matching", ListingReceived) as received, namur.ear("matching", ListingGone) as gone:
        await pair.lille.say("catalog", published(offer))
        assert (await received()).listing.version == 1
        for version, audience in (
            (2, Audience(scope="cooperative")),
            (4, Audience(scope="peers", peer_ids=["x" * 43])),
        ):
            narrowed = offer.model_copy(update={"version": version, "audience": audience})
            await pair.lille.say("catalog", published(narrowed))
            heard = await gone()
            assert (heard.id, heard.version) == (offer.id, version)
            again = offer.model_copy(update={"version": version + 1})
            await pair.lille.say("catalog", published(again))
            assert (await received()).listing.version == version + 1
        await pair.lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=9, reason="withdrawn"))
        assert (await gone()).version == 9


async def test_a_booking_crosses_and_comes_back_under_a_pseudonym(pair: Pair) -> None:
    await pair.link()
    lille, namur, offer = pair.lille, pair.namur, listing()
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        lille.ear("booking", BookingWithdrawalReceived) as withdrawals,
        namur.ear("booking", BookingAnswerReceived) as answers,
        namur.ear("notify", ContactReceived) as contacts,
    ):
        await can_be_booked(pair, offer)
        member = Party(member_id=new_id(), name="Omar")
        wish = booking_of(offer, resource_origin=lille.border.us, origin_name="Lille", borrower=member)
        await namur.say("booking", BookingRequested(booking=wish))
        asked = await requests()
        assert (asked.booking_id, asked.origin) == (wish.id, namur.border.us)
        assert str(member.member_id) not in asked.model_dump_json()
        assert "Omar" not in asked.model_dump_json()
        guest = Party(peer_id=namur.border.us, pseudonym=asked.pseudonym)
        await lille.say("booking", BookingRequested(booking=booking_of(offer, id=wish.id, borrower=guest)))
        pending = await answers()
        assert (pending.status, pending.owner_name, pending.place_label) == ("pending", None, None)
        yes = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2)
        await lille.say("booking", BookingConfirmed(booking=yes))
        confirmed = await answers()
        assert (confirmed.status, confirmed.owner_name) == ("confirmed", "Ana Petit")
        await lille.say("notify", _contact(wish.id, namur.border.us))
        assert (await contacts()).email == "ana@example.org"
        cancelling = wish.model_copy(update={"status": "cancelling", "reason": "Plus besoin"})
        await namur.say("booking", BookingCancellationAsked(booking=cancelling))
        assert (await withdrawals()).reason == "Plus besoin"
        second = wish.model_copy(update={"id": new_id()})
        await namur.say("booking", BookingRequested(booking=second))
        assert (await requests()).pseudonym == asked.pseudonym


async def test_a_cancellation_that_overtakes_its_request_crosses_after_it(pair: Pair) -> None:
    await pair.link()
    lille, namur, offer = pair.lille, pair.namur, listing()
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        lille.ear("booking", BookingWithdrawalReceived) as withdrawals,
    ):
        await can_be_booked(pair, offer)
        wish = booking_of(offer, resource_origin=lille.border.us, borrower=Party(member_id=new_id(), name="Omar"))
        cancelling = wish.model_copy(update={"status": "cancelling", "version": 2})
        await namur.say("booking", BookingCancellationAsked(booking=cancelling))
        await asyncio.sleep(0.3)
        await namur.say("booking", BookingRequested(booking=wish))
        assert (await requests()).booking_id == wish.id
        assert (await withdrawals()).booking_id == wish.id


async def test_a_request_for_what_was_withdrawn_meanwhile_is_heard_and_can_be_answered(pair: Pair) -> None:
    await pair.link()
    lille, namur, offer = pair.lille, pair.namur, listing()
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        namur.ear("matching", ListingGone) as gone,
    ):
        await can_be_booked(pair, offer)
        await lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=2, reason="withdrawn"))
        await gone()
        wish = booking_of(offer, resource_origin=lille.border.us, borrower=Party(member_id=new_id(), name="Omar"))
        await namur.say("booking", BookingRequested(booking=wish))
        assert (await requests()).booking_id == wish.id


def _contact(booking_id: UUID, peer_id: str) -> ContactDisclosed:
    return ContactDisclosed(booking_id=booking_id, peer_id=peer_id, name="Ana Petit", email="ana@example.org")


async def test_changes_arrive_at_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by itself whether there is something: each change wakes everybody on its way."""
    monkeypatch.setattr(relay, "FALLING_ASLEEP", FAST_ASLEEP)
    await pair.link()
    seconds: list[float] = []
    async with pair.namur.ear("matching", ListingReceived) as heard:
        for _ in range(10):
            await asyncio.sleep(0.5)  # everybody is fast asleep
            began = time.perf_counter()
            await pair.lille.say("catalog", published(listing()))
            await heard()
            seconds.append(time.perf_counter() - began)
    print(f"from one instance's event to the other's: median {statistics.median(seconds) * 1000:.0f} ms")

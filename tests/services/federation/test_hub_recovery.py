"""A member that its peers know only through a hub comes back from last night's backup; so does the hub itself."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa

from contracts.booking import BookingCancelled, BookingConfirmed, BookingRequested, BookingState, Party
from contracts.catalog import ListingState
from contracts.federation import (
    BookingAnswerReceived,
    BookingEndHandedBack,
    BookingReadmitted,
    BookingRequestReceived,
    ListingReceived,
    RecoveryChanged,
    ResourceReceived,
)
from services.chassis.ids import new_id
from services.federation import mending, offers, receipts
from services.federation.tables import bookings_abroad, links, peer_calls, sent_log
from tests.servers import Servers
from tests.services.federation import pair
from tests.services.federation.around_a_hub import (
    PATIENCE,
    Region,
    a_region,
    accept,
    entry_of,
    holds_of,
    id_of_link,
    link_of,
    link_through_hub,
    own,
    paused,
    say,
    until_active,
    until_holds,
    until_taken,
    until_waiting,
    withdraw,
)
from tests.services.federation.backup import backup, empty, restore
from tests.services.federation.pair import Post, eventually, listing
from tests.services.federation.test_mending import change
from tests.services.federation.test_sharing import booking_of, resource_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1500)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Region]:
    """Lille, linked through the hub with Namur and with Gand."""
    async with a_region(servers, tmp_path_factory.mktemp("recovery")) as made:
        for other in (made.namur, made.gand):
            await link_through_hub(made.lille, other)
        yield made


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair, "PATIENCE", PATIENCE)  # four posts on one machine
    monkeypatch.setattr(mending, "LONGEST_PAUSE", timedelta(seconds=5))
    monkeypatch.setattr(receipts, "PUBLIC_AT_MOST_EVERY", timedelta(0))


async def until_equal(region: Region) -> None:
    """Copies equal originals, everywhere."""
    hub, lille, namur, gand = region.hub, *region.members
    for origin in (lille, namur, gand):
        await until_holds(hub, origin, await own(origin, "public"))
    for one, other in ((lille, namur), (lille, gand)):
        await until_holds(one, other, await own(other, "peers", "public"))
        await until_holds(other, one, await own(one, "peers", "public"))


async def until_all_is_well(region: Region) -> None:
    """Nobody recovers any more, and nobody has refused anything."""
    for post in (region.hub, *region.members):

        async def is_over(post: Post = post) -> bool:
            return not (await post.call("GET", "/recovery"))["recovering"]

        await eventually(is_over, seconds=PATIENCE)
        assert [(one["peer_name"], one["refused"]) for one in await post.call("GET", "/links") if one["refused"]] == []


async def until_known_abroad(borrower: Post, booking: UUID, status: str) -> None:
    async def is_known() -> bool:
        kept: list[Any] = [row for row in await borrower.rows(bookings_abroad) if row["booking_id"] == booking]
        return [row["status"] for row in kept] == [status]

    await eventually(is_known, seconds=PATIENCE)


async def booked(
    region: Region,
    offer: ListingState,
    requests: Callable[[], Awaitable[BookingRequestReceived]],
    answers: Callable[[], Awaitable[BookingAnswerReceived]],
) -> BookingState:
    """Omar of Namur books it, and Lille says yes: the booking as Lille has it."""
    lille, namur = region.lille, region.namur
    wish = booking_of(offer, resource_origin=lille.border.us, borrower=Party(member_id=new_id(), name="Omar"))
    await namur.say("booking", BookingRequested(booking=wish))
    guest = Party(peer_id=namur.border.us, pseudonym=(await requests()).pseudonym)
    yes = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2)
    await lille.say("booking", BookingConfirmed(booking=yes))
    while (answer := await answers()).booking_id != wish.id:
        pass  # of a booking that ended before: its answer may come late
    assert answer.status == "confirmed"
    return yes


async def called_off(region: Region, offer: ListingState, yes: BookingState) -> None:
    """Lille cancels what it had confirmed, and Namur knows."""
    over = booking_of(offer, id=yes.id, borrower=yes.borrower, status="cancelled", version=3)
    await region.lille.say("booking", BookingCancelled(booking=over, by="owner"))
    await until_known_abroad(region.namur, yes.id, "cancelled")


async def called_off_before(borrower: Post, owner: Post) -> list[UUID]:
    """What `owner` is handed back the end of, when it is restored."""
    kept: list[Any] = await borrower.rows(bookings_abroad)
    return [row["booking_id"] for row in kept if (row["peer_id"], row["status"]) == (owner.border.us, "cancelled")]


async def end_again(owner: Post, offer: ListingState, over: BookingEndHandedBack) -> None:
    """Booking's part, which does not run here: it says again what it hears to be over."""
    guest = Party(peer_id=over.origin, pseudonym=over.pseudonym)
    again = booking_of(offer, id=over.booking_id, borrower=guest, status="cancelled", version=over.version)
    await owner.say("booking", BookingCancelled(booking=again, by="owner"))


async def go_on(region: Region, goes: ListingState) -> None:
    """Both publish, and Lille takes back `goes`."""
    for post in (region.lille, region.namur):
        await say(post, *(listing(title="Pendant la nuit", scope=scope) for scope in ("peers", "public")))
    await withdraw(region.lille, goes.id, 2)
    await until_equal(region)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_member_comes_back_from_its_backup_and_is_handed_back_what_it_had_confirmed(
    region: Region, *, declared: bool
) -> None:
    lille, namur, _ = region.members
    offer, goes = listing(title="Réservée avant la panne"), listing(title="Retirée depuis", scope="public")
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        lille.ear("booking", RecoveryChanged) as recovered,
        lille.ear("booking", BookingReadmitted) as readmitted,
        lille.ear("booking", BookingEndHandedBack) as ended,
        namur.ear("matching", ResourceReceived) as resources,
        namur.ear("booking", BookingAnswerReceived) as answers,
    ):
        await say(lille, offer, goes)
        await lille.say("booking", resource_of(offer))
        while (await resources()).resource.offer_id != offer.id:
            pass
        await until_equal(region)
        last_night = await backup(lille)
        # what the backup does not know of
        yes = await booked(region, offer, requests, answers)
        await go_on(region, goes)

        await restore(lille, last_night, declared=declared)
        if not declared:
            await say(lille, listing(title="Le lendemain"))
        assert (await recovered()).recovering
        back = await readmitted()
        assert (back.booking_id, back.status, back.version) == (yes.id, "confirmed", 2)
        assert (back.pseudonym, back.start, back.end) == (yes.borrower.pseudonym, yes.start, yes.end)
        assert (await lille.call("GET", "/recovery"))["recovering"], "booking has not said what became of it"
        await lille.say("booking", BookingConfirmed(booking=yes))
        for _ in await called_off_before(namur, lille):
            await end_again(lille, offer, await ended())
        assert not (await recovered()).recovering
    assert goes.id in await own(lille, "public")
    await until_equal(region)
    await until_all_is_well(region)
    await until_known_abroad(namur, yes.id, "confirmed")
    await called_off(region, offer, yes)


async def test_a_hub_comes_back_from_its_backup_and_nothing_is_lost_or_told_twice(region: Region) -> None:
    hub, (lille, namur, _) = region.hub, region.members
    gone = listing(title="Retirée pendant la nuit", scope="public")
    await say(lille, gone)
    await until_equal(region)
    last_night = await backup(hub)
    new = [listing(title=f"Pendant la nuit {number}", scope=("peers", "public")[number % 2]) for number in range(6)]
    async with namur.ear("matching", ListingReceived) as heard:
        async with paused(namur, hub):
            await say(lille, *new)
            await withdraw(lille, gone.id, 9)
            await until_taken(lille, *new)
            await until_holds(hub, lille, await own(lille, "public"))
            await until_taken(hub)
            # what waits for Namur is lost with the hub's broker; nobody has anything more to say
            await restore(hub, last_night)
        await until_equal(region)
        told = Counter[tuple[UUID, int]]()
        while len(told) < len(new):
            event = await heard()
            told[event.listing.id, event.listing.version] += 1
        assert set(told.values()) == {1}
    await until_all_is_well(region)


async def test_a_restored_member_hears_who_has_left_the_hub_and_which_link_has_ended_since(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "FIRST_PAUSE", timedelta(seconds=1))
    lille, namur, gand = region.members
    await until_equal(region)
    last_night = await backup(lille)
    assert {row["status"] for row in last_night[links] if row["kind"] == "behind"} == {"active"}
    await namur.call("POST", f"/links/{await id_of_link(namur, lille)}/end")
    await gand.call("POST", f"/links/{await id_of_link(gand, region.hub)}/end")

    async def both_are_gone() -> bool:
        return await link_of(lille, namur) is None and await link_of(lille, gand) is None

    await eventually(both_are_gone, seconds=PATIENCE)
    await change(region.hub, sa.delete(sent_log))  # an old backup: what was said since is not said again
    await restore(lille, last_night)
    await eventually(both_are_gone, seconds=PATIENCE)
    assert (await entry_of(lille, gand))["standing"] == "left"
    assert await holds_of(lille, namur) == await holds_of(lille, gand) == {}

    async def is_over() -> bool:
        return not (await lille.call("GET", "/recovery"))["recovering"]

    await eventually(is_over, seconds=PATIENCE)
    await link_through_hub(lille, namur)
    await until_holds(namur, lille, await own(lille, "peers", "public"))


async def test_a_wish_to_link_that_the_hub_has_lost_is_said_again(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "FIRST_PAUSE", timedelta(seconds=1))
    lille, namur, _ = region.members
    if await link_of(lille, namur) is None:  # the story before this one did not come to its end
        await link_through_hub(lille, namur)
    at_namur = await id_of_link(region.hub, namur)
    await lille.call("POST", f"/links/{await id_of_link(lille, namur)}/end")

    async def is_open() -> bool:
        return (await entry_of(namur, lille))["standing"] == "open"

    await eventually(is_open, seconds=PATIENCE)
    async with paused(namur, region.hub):
        await accept(lille, namur)
        await until_taken(lille)
        await until_waiting(region.hub, at_namur)
        await empty(region.hub)

    async def is_asked() -> bool:
        return (await entry_of(namur, lille))["standing"] == "asks_us"

    await eventually(is_asked, seconds=PATIENCE)
    await accept(namur, lille)
    await until_active(lille, namur)
    await until_holds(namur, lille, await own(lille, "peers", "public"))

    async def have_heard() -> bool:
        both = [await link_of(lille, namur), await link_of(namur, lille)]
        return None not in [link["last_received_at"] for link in both]

    await eventually(have_heard, seconds=PATIENCE)

    async def is_quiet() -> bool:  # what has arrived is not said for ever
        return not await lille.rows(peer_calls) + await namur.rows(peer_calls)

    await change(lille, sa.update(peer_calls).values(due_at=sa.func.now()))
    await change(namur, sa.update(peer_calls).values(due_at=sa.func.now()))
    await eventually(is_quiet, seconds=PATIENCE)

"""Three cooperatives and a hub: what is public, what is for members, bookings, one that was away, one that leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from contracts.booking import BookingCancellationAsked, BookingConfirmed, BookingRequested, Party
from contracts.catalog import Audience, ListingState, ListingWithdrawn, Scope
from contracts.federation import (
    BookingAnswerReceived,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    ContactReceived,
    IntroductionAnswerReceived,
    IntroductionReceived,
    IntroductionRequestReceived,
    IntroductionWithdrawalReceived,
    LinkChanged,
    ListingReceived,
    PersonForgotten,
    ResourceReceived,
)
from contracts.identity import MemberChanged, MemberState
from contracts.link import ManifestPageTold
from contracts.matching import IntroductionAnswered, IntroductionAsked, IntroductionWithdrawn
from contracts.notify import ContactDisclosed, IntroductionDisclosed
from services.chassis.ids import new_id
from services.federation import receipts
from services.federation.mending_tables import erasures
from services.federation.tables import links, sent_log
from tests.servers import Servers
from tests.services.federation.around_a_hub import (
    PATIENCE,
    Region,
    a_region,
    accept,
    as_owner_has_it,
    entry_of,
    holds_of,
    id_of_link,
    link_of,
    link_through_hub,
    paused,
    until_holds,
    until_known,
    wish_for,
)
from tests.services.federation.pair import Post, eventually, listing, published
from tests.services.federation.test_sharing import booking_of, resource_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Region]:
    """The tests follow each other: what one has linked, the next finds."""
    async with a_region(servers, tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture(autouse=True)
def receipts_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "PUBLIC_AT_MOST_EVERY", timedelta(0))


async def say(post: Post, *offers: ListingState) -> None:
    for offer in offers:
        await post.say("catalog", published(offer))


def tells_of(said: Any, offer: ListingState) -> bool:
    """Whether this was said to tell of the offer: pages of manifests name it, too, whenever they are asked for."""
    return str(offer.id) in said["content"] and ManifestPageTold.type not in said["content"]


async def test_a_member_learns_who_is_there_and_shares_with_whom_it_wants(region: Region) -> None:
    lille, namur, gand = region.members
    early = listing(title="Avant le lien", scope="public")
    await say(lille, early)
    entry = await until_known(lille, namur)
    assert (entry["standing"], entry["doubt"], entry["name"]) == ("open", None, namur.instance.name)
    assert (await entry_of(lille, namur))["thumbprint"] == (await until_known(gand, namur))["thumbprint"]
    assert [one["peer_id"] for one in await lille.call("GET", "/peers")] == []  # a hub is nobody to share with
    await until_holds(region.hub, lille, {early.id: 1})

    link = await accept(lille, namur)
    assert (link["status"], link["kind"], link["hub_name"]) == (
        "awaiting_confirmation",
        "behind",
        region.hub.instance.name,
    )

    async def is_asked() -> bool:
        return (await entry_of(namur, lille))["standing"] == "asks_us"

    await eventually(is_asked, seconds=PATIENCE)
    async with namur.ear("catalog", LinkChanged) as heard:
        await accept(namur, lille)
        assert [(await heard()).link.status for _ in range(1)] == ["active"]
    await until_holds(namur, lille, {early.id: 1})
    assert (await link_of(lille, namur))["status"] == "active"
    assert [one["peer_id"] for one in await lille.call("GET", "/peers")] == [namur.border.us]
    assert await holds_of(gand, lille) == {}  # nobody has accepted it there


async def test_what_is_public_is_said_once_and_reaches_hub_and_members(region: Region) -> None:
    lille, namur, gand = region.members
    await link_through_hub(lille, gand)
    before = await holds_of(namur, lille)
    offer, members_only = listing(title="Foire aux outils", scope="public"), listing(title="Entre membres")
    async with namur.ear("matching", ListingReceived) as heard:
        await say(lille, offer, members_only)
        got = {(await heard()).listing.id for _ in range(2)}
        assert got == {offer.id, members_only.id}
    for member in (namur, gand):
        await until_holds(member, lille, before | {offer.id: 1, members_only.id: 1})
    await until_holds(region.hub, lille, before | {offer.id: 1})
    said = [row for row in await lille.rows(sent_log) if tells_of(row, offer)]
    assert [row["link_id"] for row in said] == [row["id"] for row in await lille.rows(links) if row["kind"] == "public"]

    async def is_acknowledged() -> bool:
        told = await lille.call("GET", f"/links/{await id_of_link(lille, gand)}/copies")
        states = {one["id"]: one["copy_state"] for one in told["items"]}
        return states.get(str(offer.id)) == states.get(str(members_only.id)) == "holds"

    await eventually(is_acknowledged, seconds=PATIENCE)


async def test_a_thing_that_moves_between_audiences_is_where_it_should_be(region: Region) -> None:
    lille, namur, gand = region.members
    before, at_hub = await holds_of(namur, lille), await holds_of(region.hub, lille)
    offer = listing(title="Vagabonde", scope="public")
    await say(lille, offer)
    await until_holds(region.hub, lille, at_hub | {offer.id: 1})
    scopes: tuple[Scope, ...] = ("peers", "public", "peers")
    for version, scope in enumerate(scopes, start=2):
        audience = Audience(scope=scope)
        await say(lille, offer.model_copy(update={"version": version, "audience": audience}))
        for member in (namur, gand):
            await until_holds(member, lille, before | {offer.id: version})
        await until_holds(region.hub, lille, at_hub | ({offer.id: version} if scope == "public" else {}))
    only = Audience(scope="peers", peer_ids=[gand.border.us])
    await say(lille, offer.model_copy(update={"version": 5, "audience": only}))
    await until_holds(namur, lille, before)
    await until_holds(gand, lille, before | {offer.id: 5})
    await lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=6, reason="withdrawn"))
    await until_holds(gand, lille, before)


async def test_one_that_was_away_finds_what_the_others_have(region: Region) -> None:
    lille, namur, gand = region.members
    before = await holds_of(gand, lille)
    async with paused(gand, region.hub):
        missed = [listing(title=f"Pendant {number}", scope="public" if number % 2 else "peers") for number in range(6)]
        await say(lille, *missed)
        gone = next(iter(before))
        await lille.say("catalog", ListingWithdrawn(id=gone, side="offer", version=9, reason="withdrawn"))
        wanted = {thing: version for thing, version in before.items() if thing != gone} | {one.id: 1 for one in missed}
        await until_holds(namur, lille, wanted)
        assert await holds_of(gand, lille) == before
    await until_holds(gand, lille, wanted)


async def test_a_paused_member_hears_afterwards_what_was_said(region: Region) -> None:
    lille, namur, _ = region.members
    before = await holds_of(namur, lille)
    link = await id_of_link(lille, namur)
    offer = listing(title="Dit pendant la pause")

    async def is_logged() -> bool:
        return any(tells_of(row, offer) for row in await lille.rows(sent_log) if row["link_id"] == link)

    async with paused(lille, namur):
        await say(lille, offer)
        await eventually(is_logged, seconds=PATIENCE)
        assert await holds_of(namur, lille) == before
    await until_holds(namur, lille, before | {offer.id: 1})


async def test_a_booking_between_two_that_only_the_hub_connects(region: Region) -> None:
    lille, namur, _ = region.members
    offer = listing(title="Découpeuse partagée", scope="public")
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        lille.ear("booking", BookingWithdrawalReceived) as withdrawals,
        namur.ear("matching", ResourceReceived) as resources,
        namur.ear("booking", BookingAnswerReceived) as answers,
        namur.ear("notify", ContactReceived) as contacts,
    ):
        await say(lille, offer)
        await lille.say("booking", resource_of(offer))
        assert (await resources()).resource.offer_id == offer.id
        member = Party(member_id=new_id(), name="Omar")
        wish = booking_of(offer, resource_origin=lille.border.us, origin_name="Lille", borrower=member)
        await namur.say("booking", BookingRequested(booking=wish))
        request = await requests()
        assert (request.booking_id, request.origin, request.note) == (wish.id, namur.border.us, wish.note)
        guest = Party(peer_id=namur.border.us, pseudonym=request.pseudonym)
        decided = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2)
        await lille.say("booking", BookingConfirmed(booking=decided))
        answer = await answers()
        assert (answer.booking_id, answer.status, answer.place_label) == (wish.id, "confirmed", decided.place_label)
        disclosed = ContactDisclosed(
            booking_id=wish.id, peer_id=namur.border.us, name="Ana Petit", email="ana@optéos.example"
        )
        await lille.say("notify", disclosed)
        assert (await contacts()).email == disclosed.email
        await namur.say("booking", BookingCancellationAsked(booking=wish.model_copy(update={"reason": "Malade"})))
        assert (await withdrawals()).reason == "Malade"
        async with lille.ear("booking", PersonForgotten) as forgotten:
            state = MemberState(
                id=member.member_id or new_id(), name="Omar", role="member", status="left", locale="fr", version=2
            )
            await namur.say("identity", MemberChanged(member=state))
            assert (await forgotten()).pseudonym == request.pseudonym

    async def is_acknowledged() -> bool:
        return [row["acked_at"] is not None for row in await namur.rows(erasures)] == [True]

    await eventually(is_acknowledged, seconds=PATIENCE)


@pytest.mark.parametrize(("owning", "asking"), [("lille", "namur"), ("namur", "lille")])
async def test_two_that_only_the_hub_connects_are_introduced(region: Region, owning: str, asking: str) -> None:
    owner, asker = getattr(region, owning), getattr(region, asking)
    offer, member, ana = listing(title="Banc de coupe", scope="public"), new_id(), new_id()
    await say(owner, offer)  # opened to all after the link was made: it comes on the public stream
    await until_holds(asker, owner, await holds_of(asker, owner) | {offer.id: 1})
    wishes = [wish_for(offer, owner, member) for _ in range(3)]
    yes, no, over = wishes
    async with (
        owner.ear("matching", IntroductionRequestReceived) as requests,
        owner.ear("matching", IntroductionWithdrawalReceived) as withdrawals,
        owner.ear("notify", IntroductionReceived) as askers,
        asker.ear("matching", IntroductionAnswerReceived) as answers,
        asker.ear("notify", IntroductionReceived) as owners,
    ):
        for wish in wishes:
            await asker.say("matching", IntroductionAsked(introduction=wish))
        heard = {(await requests()).introduction_id for _ in wishes}
        assert heard == {wish.id for wish in wishes}
        await asker.say("matching", IntroductionWithdrawn(introduction=over.model_copy(update={"status": "withdrawn"})))
        assert (await withdrawals()).introduction_id == over.id
        for wish, changes in ((no, {"status": "declined", "reason": "gone"}), (yes, {"status": "accepted"})):
            await owner.say(
                "matching", IntroductionAnswered(introduction=as_owner_has_it(wish, asker, version=2, **changes))
            )
        told = {answer.introduction_id: answer for answer in [await answers(), await answers()]}
        assert (told[yes.id].accepted, told[no.id].accepted, told[no.id].reason) == (True, False, "gone")
        for here, there, who in ((owner, asker, ana), (asker, owner, member)):
            address = {"name": "Ana" if who == ana else "Omar", "email": f"{who}@ici.example"}
            await here.say(
                "notify",
                IntroductionDisclosed(introduction_id=yes.id, peer_id=there.border.us, member_id=who, **address),
            )
        assert (await owners()).email == f"{ana}@ici.example"
        assert (await askers()).name == "Omar"


async def test_nothing_was_refused_on_the_way(region: Region) -> None:
    for post in (region.hub, *region.members):
        assert [(one["peer_name"], one["refused"]) for one in await post.call("GET", "/links") if one["refused"]] == []


async def test_what_a_member_had_is_gone_everywhere_once_it_leaves(region: Region) -> None:
    lille, namur, gand = region.members
    assert await holds_of(namur, lille)
    assert await holds_of(region.hub, lille)
    async with namur.ear("catalog", LinkChanged) as heard:
        await lille.call("POST", f"/links/{await id_of_link(lille, region.hub)}/end")
        ended = await heard()
    assert (ended.link.status, ended.link.peer_id) == ("ended", lille.border.us)
    for post in (region.hub, namur, gand):
        await until_holds(post, lille, {})
    assert (await entry_of(namur, lille))["standing"] == "left"
    assert [one["status"] for one in await lille.call("GET", "/links")] == ["ended"] * 3
    left: list[tuple[UUID, str]] = [(row["link_id"], row["content"]) for row in await lille.rows(sent_log)]
    assert left == []
    assert (await link_of(namur, region.hub))["status"] == "active"

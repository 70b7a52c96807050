"""What peers share: the newest wins, the dead stay dead, nothing outlives its link."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope, Event
from contracts.federation import LinkChanged, LinkState, ListingGone, ListingReceived
from contracts.shared import SharedListing
from services.catalog.consumers import consumers
from services.chassis.ids import new_id
from tests.services.catalog.conftest import Catalog

PEER = "peer-thumbprint"
START = datetime(2026, 3, 1, tzinfo=UTC)


async def tell(catalog: Catalog, event: Event, minute: int = 0) -> None:
    subscription = consumers.get(event.type)
    time = START + timedelta(minutes=minute)
    envelope = Envelope(id=new_id(), source="t/federation", type=event.type, time=time, subject="", data=b"")
    async with catalog.db.transaction() as session:
        await subscription.handler(event, session, envelope)


def received(listing_id: UUID, title: str, *, version: int, epoch: int = 1, public: bool = False) -> ListingReceived:
    listing = SharedListing(
        id=listing_id,
        side="offer",
        kind="machine",
        title=title,
        text="",
        category="",
        language="fr",
        place=None,
        quantity=1,
        unit="",
        public=public,
        valid_until=None,
        window_start=None,
        window_end=None,
        urgency="normal",
        version=version,
        changed_at=START,
    )
    return ListingReceived(origin=PEER, origin_name="OpenFlow", epoch=epoch, listing=listing)


def gone(listing_id: UUID, version: int, epoch: int = 1) -> ListingGone:
    return ListingGone(origin=PEER, origin_name="OpenFlow", epoch=epoch, id=listing_id, version=version)


def ended() -> LinkChanged:
    link = LinkState(link_id=new_id(), peer_id=PEER, peer_name="OpenFlow", peer_web="", status="ended", version=9)
    return LinkChanged(link=link)


async def test_copies_are_seen_by_members_and_the_newest_wins(catalog: Catalog) -> None:
    one, two = new_id(), new_id()
    await tell(catalog, received(one, "Nouveau", version=3))
    await tell(catalog, received(one, "Ancien", version=2))
    await tell(catalog, received(two, "Ouvert à tout le monde", version=1, public=True))
    await tell(catalog, received(two, "Nouvelle époque", version=1, epoch=2, public=True))
    member, stranger = await catalog.client(await catalog.member()), await catalog.client()
    found = (await member.get("/listings", params={"origin": PEER})).json()["items"]
    assert {item["title"] for item in found} == {"Nouveau", "Nouvelle époque"}
    assert {(item["origin"], item["origin_name"], item["may_edit"]) for item in found} == {(PEER, "OpenFlow", False)}
    assert [item["title"] for item in (await stranger.get("/listings")).json()["items"]] == ["Nouvelle époque"]
    assert (await stranger.get(f"/listings/{one}", params={"origin": PEER})).status_code == 404
    assert (await member.get(f"/listings/{one}", params={"origin": PEER})).json()["title"] == "Nouveau"
    assert (await member.get(f"/listings/{one}")).status_code == 404
    assert (await member.get("/listings", params={"origin": "ours"})).json()["items"] == []


async def test_a_tombstone_lets_nothing_older_back(catalog: Catalog) -> None:
    one = new_id()
    await tell(catalog, gone(one, 5))
    await tell(catalog, received(one, "Revenant", version=4))
    member = await catalog.client(await catalog.member())
    assert (await member.get("/listings")).json()["items"] == []
    assert (await member.get(f"/listings/{one}", params={"origin": PEER})).status_code == 410
    await tell(catalog, received(one, "Republié", version=6))
    assert (await member.get(f"/listings/{one}", params={"origin": PEER})).json()["title"] == "Republié"


async def test_what_was_held_back_until_its_first_day_appears_then_in_whatever_order_it_is_heard(
    catalog: Catalog,
) -> None:
    straight, crossed = new_id(), new_id()
    for listing_id in (straight, crossed):
        await tell(catalog, received(listing_id, "Tout de suite", version=1), minute=1)
    await tell(catalog, gone(straight, 2), minute=2)
    await tell(catalog, received(straight, "Le jour venu", version=2), minute=3)
    await tell(catalog, received(crossed, "Le jour venu", version=2), minute=3)
    await tell(catalog, gone(crossed, 2), minute=2)
    member = await catalog.client(await catalog.member())
    assert [item["title"] for item in (await member.get("/listings")).json()["items"]] == ["Le jour venu"] * 2
    for listing_id in (straight, crossed):
        await tell(catalog, gone(listing_id, 3), minute=4)
        await tell(catalog, received(listing_id, "Le jour venu", version=2), minute=3)
    assert (await member.get("/listings")).json()["items"] == []


async def test_nothing_outlives_its_link_in_whatever_order_things_come(catalog: Catalog) -> None:
    before, late, after = new_id(), new_id(), new_id()
    await tell(catalog, received(before, "Avant", version=1), minute=1)
    await tell(catalog, received(after, "Après un nouveau lien", version=1, epoch=2), minute=9)
    await tell(catalog, ended(), minute=5)
    await tell(catalog, received(late, "En retard", version=1), minute=4)
    member = await catalog.client(await catalog.member())
    assert [item["title"] for item in (await member.get("/listings")).json()["items"]] == ["Après un nouveau lien"]
    assert (await member.get(f"/listings/{before}", params={"origin": PEER})).status_code == 404

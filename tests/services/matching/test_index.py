"""What the index keeps: the newest, no ghosts, nothing of an ended link; and reindexing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from contracts.catalog import ListingPublished
from contracts.federation import LinkChanged, LinkState, ListingGone, ListingReceived
from contracts.shared import SharedListing
from services.chassis.ids import new_id
from services.matching import reindex
from services.matching.tables import things
from tests.services.matching.conftest import Matching

PEER = "peer-thumbprint"
START = datetime(2026, 3, 1, tzinfo=UTC)


def received(listing_id: UUID, title: str, *, version: int = 1, public: bool = False) -> ListingReceived:
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
    return ListingReceived(origin=PEER, origin_name="OpenFlow", epoch=1, listing=listing)


async def test_copies_are_found_by_members_and_proposed_with_their_origin(matching: Matching) -> None:
    offer_id = new_id()
    await matching.tell(received(offer_id, "Découpeuse laser"))
    await matching.count_words()
    assert await matching.titles(q="laser") == []
    assert await matching.titles(new_id(), q="laser") == ["Découpeuse laser"]
    need = await matching.listing("Découpeuse laser", side="need")
    (said,) = await matching.propose()
    assert said.need_id == need.id
    assert [(p.offer_id, p.origin, p.origin_name) for p in said.proposals] == [(offer_id, PEER, "OpenFlow")]


async def test_older_news_and_tombstones_let_nothing_back(matching: Matching) -> None:
    state = await matching.listing("Neuf", version=3)
    await matching.tell(ListingPublished(listing=state.model_copy(update={"title": "Vieux", "version": 2})))
    assert await matching.titles() == ["Neuf"]
    await matching.withdraw(state)
    await matching.tell(ListingPublished(listing=state))
    copy = new_id()
    await matching.tell(ListingGone(origin=PEER, origin_name="OpenFlow", epoch=1, id=copy, version=2))
    await matching.tell(received(copy, "Revenant", public=True))
    assert await matching.titles() == []


async def test_a_copy_that_was_held_back_until_its_first_day_is_found_then(matching: Matching) -> None:
    copy = new_id()
    gone = ListingGone(origin=PEER, origin_name="OpenFlow", epoch=1, id=copy, version=2)
    await matching.tell(received(copy, "Tout de suite", public=True))
    await matching.tell(gone)
    await matching.tell(received(copy, "Le jour venu", version=2, public=True))
    assert await matching.titles() == ["Le jour venu"]
    await matching.tell(gone)
    assert await matching.titles() == ["Le jour venu"]
    await matching.tell(gone.model_copy(update={"version": 3}))
    assert await matching.titles() == []


async def test_nothing_outlives_its_link_in_whatever_order_things_come(matching: Matching) -> None:
    await matching.tell(received(new_id(), "Avant", public=True), at=START)
    await matching.tell(received(new_id(), "Après", public=True), at=START + timedelta(minutes=9))
    link = LinkState(link_id=new_id(), peer_id=PEER, peer_name="OpenFlow", peer_web="", status="ended", version=9)
    await matching.tell(LinkChanged(link=link), at=START + timedelta(minutes=5))
    await matching.tell(received(new_id(), "En retard", public=True), at=START + timedelta(minutes=4))
    assert await matching.titles() == ["Après"]


async def test_reindexing_makes_stems_and_counts_again(matching: Matching) -> None:
    await matching.listing("Scie à ruban")
    async with matching.db.transaction() as session:
        await session.execute(sa.update(things).values(words=sa.func.to_tsvector("")))
    assert await matching.titles(q="ruban") == []
    assert await reindex.reindex(matching.db) == 1
    assert await matching.titles(q="rubam") == ["Scie à ruban"]

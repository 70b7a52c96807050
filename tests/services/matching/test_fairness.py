"""Who was asked often rests, and uses between cooperatives balance: from what booking says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from contracts.booking import BookingCancelled, BookingConfirmed, BookingRequested, BookingState, Party
from contracts.federation import LinkChanged, LinkState, ListingReceived
from contracts.shared import SharedListing
from services.chassis.ids import new_id
from services.matching.queries.fairness import fairness
from services.matching.tables import uses
from tests.services.matching.conftest import Matching, state_of
from tests.services.matching.test_matches import answer_for, codes, need

_EXAMPLE = Path(__file__).resolve().parents[3] / "contracts" / "examples" / "booking.requested.v1.json"
PEER = "peer-of-namur"


def booking(**changes: Any) -> BookingState:
    """One of our resources, asked for by one of ours, but for `changes`."""
    state = BookingRequested.model_validate_json(_EXAMPLE.read_bytes()).booking
    now = datetime.now(UTC)
    values: dict[str, Any] = {"id": new_id(), "resource_origin": None, "status": "pending", "version": 1}
    values |= {"borrower": Party(member_id=new_id()), "owner": Party(member_id=new_id()), "changed_at": now}
    values |= {"start": now + timedelta(days=1), "end": now + timedelta(days=1, hours=2), "offer_id": new_id()}
    return state.model_copy(update=values | changes)


async def copy(matching: Matching, title: str) -> SharedListing:
    """An offer of the peer."""
    fields = state_of(title).model_dump(mode="json")
    values = {name: value for name, value in fields.items() if name in SharedListing.model_fields}
    shared = SharedListing.model_validate(values | {"public": False})
    received = {"origin": PEER, "origin_name": "OpenFlow", "epoch": 1, "listing": shared.model_dump(mode="json")}
    await matching.tell(ListingReceived.model_validate(received))
    return shared


async def order(matching: Matching, wanted: Any) -> list[UUID]:
    return [UUID(item["id"]) for item in (await answer_for(matching, wanted))["items"]]


async def test_who_was_asked_to_decide_rests(matching: Matching) -> None:
    one, other = await matching.listing("Scie à ruban"), await matching.listing("Scie à ruban")
    wanted = await need(matching, "Scie à ruban")
    await matching.count_words()
    first = (await order(matching, wanted))[0]
    busy, rested = (one, other) if first == one.id else (other, one)
    asked = booking(owner=Party(member_id=busy.owner_member_id), offer_id=busy.id)
    for _ in range(2):
        await matching.tell(BookingRequested(booking=asked))
    assert await order(matching, wanted) == [rested.id, busy.id]
    items = (await answer_for(matching, wanted))["items"]
    assert ["rested" in codes(item) for item in items] == [True, False]
    async with matching.db.reading() as session:
        assert (await fairness(session, datetime.now(UTC))).asked == {busy.owner_member_id: 1}
        assert not (await fairness(session, datetime.now(UTC) + timedelta(days=31))).asked


async def test_nobody_was_asked_where_nobody_decides_or_asks_oneself(matching: Matching) -> None:
    ana = new_id()
    await matching.tell(BookingConfirmed(booking=booking(status="confirmed")))
    await matching.tell(BookingRequested(booking=booking(owner=Party(member_id=ana), borrower=Party(member_id=ana))))
    async with matching.db.reading() as session:
        assert not (await fairness(session, datetime.now(UTC))).asked


async def test_uses_between_cooperatives_count_both_ways_once_each(matching: Matching) -> None:
    given = booking(borrower=Party(peer_id=PEER, pseudonym="p"), status="confirmed", version=2)
    taken = [booking(resource_origin=PEER, owner=Party(peer_id=PEER), status="confirmed", version=2) for _ in range(2)]
    for one in [given, given, *taken]:
        await matching.tell(BookingConfirmed(booking=one))
    for late in (given, taken[0]):  # said before, heard after
        await matching.tell(BookingRequested(booking=late.model_copy(update={"status": "pending", "version": 1})))
    await matching.tell(
        BookingCancelled(booking=taken[1].model_copy(update={"status": "cancelled", "version": 3}), by="borrower")
    )
    async with matching.db.reading() as session:
        found = (await fairness(session, datetime.now(UTC))).with_peers[PEER]
    assert (found.given, found.received) == (1, 1)


async def test_a_peer_who_borrowed_more_comes_first_among_equals_and_the_reason_says_so(matching: Matching) -> None:
    theirs, ours = await copy(matching, "Scie à ruban"), await matching.listing("Scie à ruban")
    wanted = await need(matching, "Scie à ruban")
    await matching.count_words()
    for lent, before, reason in ((True, [theirs.id, ours.id], "owed"), (False, [ours.id, theirs.id], "owing")):
        async with matching.db.transaction() as session:
            await session.execute(sa.delete(uses))
        parties: dict[str, Any] = {"borrower": Party(peer_id=PEER, pseudonym="p")}
        if not lent:
            parties = {"resource_origin": PEER, "owner": Party(peer_id=PEER)}
        for _ in range(3):
            await matching.tell(BookingConfirmed(booking=booking(status="completed", **parties)))
        assert await order(matching, wanted) == before
        item = next(one for one in (await answer_for(matching, wanted))["items"] if one["id"] == str(theirs.id))
        assert {"code": reason, "value": "OpenFlow"} in item["reasons"]
    ended = LinkState(link_id=new_id(), peer_id=PEER, peer_name="", peer_web="", status="ended", version=9)
    await matching.tell(LinkChanged(link=ended))
    async with matching.db.reading() as session:
        assert not (await fairness(session, datetime.now(UTC))).with_peers

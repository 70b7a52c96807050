"""What waits of a peer is taken together: one look at the tables for all of it, whatever it is about."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy import event as sa_event

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderListingPublished,
)
from contracts.envelope import Event
from contracts.link import Receipt
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import carrying, receiving, tending
from services.federation.boxes import LARGEST_BOX
from services.federation.mending_tables import copies, recoveries
from services.federation.shareable import shared_listing
from services.federation.tables import bookings_abroad, border_outbox, guest_bookings, links, positions, shares, streams
from tests.services.federation.pair import PATIENCE, Pair, Post, eventually, listing
from tests.services.federation.test_hostile_peer import NOW, Namur, refused
from tests.services.federation.test_mending import change
from tests.services.federation.test_sharing import TOMORROW

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def nobody_speaks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No receipts and manifests: the numbers in Namur's stream are ours to give."""

    async def nothing(*_given: object, **_named: object) -> None: ...

    monkeypatch.setattr(tending, "tend", nothing)


@pytest_asyncio.fixture(loop_scope="module")
async def db(two: Pair) -> AsyncIterator[Database]:
    """Lille's database, by connections that nobody else uses."""
    opened = Database(two.lille.db.url)
    yield opened
    await opened.close()


class Words:
    """What Namur says to Lille, numbered."""

    def __init__(self, pair: Pair, lille_id: UUID, namur_id: UUID) -> None:
        self._pair, self._lille_id = pair, lille_id
        self._namur = Namur(pair, namur_id)
        self.seq = 0

    def say(self, *events: Event) -> list[bytes]:
        first = self.seq + 1
        self.seq += len(events)
        return [self._namur.message(event, seq) for seq, event in enumerate(events, first)]

    async def hear(self, db: Database, bodies: list[bytes]) -> None:
        own = self._pair.lille.border.keys
        await db.run(receiving.receive, self._lille_id, bodies, own=own, now=NOW())


async def begin(pair: Pair) -> tuple[Words, UUID]:
    """A link on which Namur says what we give it to say, and an offer of Lille that its members may ask for."""
    lille_id, namur_id = await pair.link()
    offer_id = new_id()
    shared = {"link_id": lille_id, "thing_id": offer_id, "listing_version": 1, "resource_version": 1}
    await change(pair.lille, sa.insert(shares).values(**shared))
    return Words(pair, lille_id, namur_id), offer_id


def request(offer_id: UUID) -> BorderBookingRequested:
    return BorderBookingRequested(
        booking_id=new_id(), offer_id=offer_id, pseudonym="p", start=TOMORROW, end=TOMORROW + timedelta(hours=1),
        quantity=1, note="", decide_by=TOMORROW,
    )  # fmt: skip


def some(offer_id: UUID, count: int) -> list[Event]:
    """Listings, requests, and a receipt in their midst."""
    listings: list[Event] = [BorderListingPublished(listing=shared_listing(listing())) for _ in range(2 * count)]
    requests: list[Event] = [request(offer_id) for _ in range(2 * count)]
    receipt = Receipt(epoch=1, applied_to=0, copies=0)
    return [*listings[:count], *requests[:count], receipt, *listings[count:], *requests[count:]]


async def statements(db: Database, words: Words, events: list[Event]) -> int:
    """How many it takes to hear `events` in one transaction."""
    seen = 0

    def count(*_given: Any) -> None:
        nonlocal seen
        seen += 1

    sa_event.listen(db.engine.sync_engine, "before_cursor_execute", count)
    await words.hear(db, words.say(*events))
    sa_event.remove(db.engine.sync_engine, "before_cursor_execute", count)
    return seen


async def applied(post: Post) -> tuple[int, int]:
    """How far Namur's stream has come in Lille, and how much of it was refused."""
    row = (await post.rows(positions))[-1]
    return row["applied_to"], row["refused"]


async def test_many_messages_cost_as_many_statements_as_few(pair: Pair, db: Database) -> None:
    words, offer_id = await begin(pair)
    await words.hear(db, words.say(request(offer_id)))  # the connection, which asks the server who it is
    few, many = some(offer_id, 1), some(offer_id, 20)
    assert await statements(db, words, many) == await statements(db, words, few)
    assert await applied(pair.lille) == (1 + len(few) + len(many), 0)
    asked = {event.booking_id for event in (*few, *many) if isinstance(event, BorderBookingRequested)}
    assert {row["booking_id"] for row in await pair.lille.rows(guest_bookings)} >= asked
    held = {event.listing.id for event in (*few, *many) if isinstance(event, BorderListingPublished)}
    assert {row["thing_id"] for row in await pair.lille.rows(copies)} >= held


async def test_a_message_knows_of_those_before_it_in_its_batch(pair: Pair, db: Database) -> None:
    words, offer_id = await begin(pair)
    first, elsewhere = request(offer_id), request(new_id())
    never_asked = BorderBookingWithdrawn(booking_id=new_id(), reason=None, number=1)
    taken_back = BorderBookingWithdrawn(booking_id=first.booking_id, reason=None, number=1)
    await words.hear(db, words.say(elsewhere, first, first, never_asked, taken_back))
    assert await applied(pair.lille) == (5, 2)
    rows = {row["booking_id"]: row for row in await pair.lille.rows(guest_bookings)}
    assert rows[first.booking_id]["pseudonym"] == "p"
    assert elsewhere.booking_id not in rows


def answer(
    booking_id: UUID, version: int, status: Literal["pending", "confirmed", "declined"]
) -> BorderBookingAnswered:
    return BorderBookingAnswered(
        booking_id=booking_id, status=status, reason=None, owner_name=None, place_label=None, version=version,
        start=TOMORROW, end=TOMORROW + timedelta(hours=1),
    )  # fmt: skip


async def test_the_newest_answer_of_a_batch_is_kept_as_long_as_its_booking_is_open(pair: Pair, db: Database) -> None:
    words, _ = await begin(pair)
    ours = [new_id() for _ in range(3)]
    kept = request(new_id()).model_dump_json()
    row = {"peer_id": pair.namur.border.us, "request": f'{{"type": "border.booking_requested.v1", "data": {kept}}}'}
    await change(pair.lille, sa.insert(bookings_abroad).values([row | {"booking_id": one} for one in ours]))
    stands, older, over = ours
    bodies = words.say(
        answer(stands, 1, "pending"), answer(over, 3, "declined"), answer(older, 5, "confirmed"),
        answer(stands, 2, "confirmed"), answer(older, 4, "pending"),
    )  # fmt: skip
    await words.hear(db, bodies)
    assert await applied(pair.lille) == (5, 0)
    rows = {row["booking_id"]: row for row in await pair.lille.rows(bookings_abroad)}
    found = [(rows[one]["version"], rows[one]["status"], rows[one]["ends_at"]) for one in ours]
    assert found == [(2, "confirmed", None), (5, "confirmed", None), (3, "declined", TOMORROW + timedelta(hours=1))]
    assert [rows[one]["decision"] for one in ours] == [bodies[at].decode() for at in (3, 2, 1)]
    assert rows[stands]["request"] == row["request"]
    assert json.loads(rows[over]["request"])["data"] == json.loads(kept) | {"note": ""}


async def test_nobody_who_counts_what_we_say_holds_up_what_we_hear(pair: Pair, db: Database) -> None:
    words, offer_id = await begin(pair)
    await words.hear(db, words.say(request(offer_id)))
    async with pair.lille.db.transaction() as session:
        await session.execute(sa.update(streams).values(seq=streams.c.seq))
        async with asyncio.timeout(PATIENCE):
            await words.hear(db, words.say(request(offer_id)))
    assert await applied(pair.lille) == (2, 0)


async def test_what_is_as_large_as_a_box_may_be_leaves(pair: Pair) -> None:
    """A long list of busy times is larger in a box than by itself; what never left would hold up all after it."""
    lille_id, _ = await pair.link()
    async with pair.lille.db.transaction() as session:
        await carrying.put_as_it_is(session, lille_id, ["x" * LARGEST_BOX])
    assert await refused(pair.namur, 1) == ["too_large"]

    async def nothing_waits() -> bool:  # it is taken from the outbox after the broker has confirmed it
        return not await pair.lille.rows(border_outbox)

    await eventually(nothing_waits)


@pytest.mark.parametrize("recovering", [False, True])
async def test_what_is_asked_again_after_a_restore_is_not_one_too_many(
    pair: Pair, db: Database, *, recovering: bool
) -> None:
    words, offer_id = await begin(pair)
    begun = {"id": new_id(), "begun_at": NOW(), "begun_by": "Léa", "ended_at": None if recovering else NOW()}
    await change(pair.lille, sa.insert(recoveries).values(begun), sa.update(links).values(open_requests_at_most=1))
    in_backup, forgotten = request(offer_id), request(offer_id)
    await words.hear(db, words.say(in_backup, forgotten))
    rows = {row["booking_id"] for row in await pair.lille.rows(guest_bookings)}
    assert rows >= ({in_backup.booking_id, forgotten.booking_id} if recovering else {in_backup.booking_id})
    assert recovering or forgotten.booking_id not in rows
    await change(pair.lille, sa.delete(recoveries))

"""A peer with valid keys that abuses what mends a link: restores, gaps, manifests, what is handed back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.border import BorderBookingAnswered, BorderBookingRequested, BorderListingWithdrawn
from contracts.envelope import Event
from contracts.link import (
    DecisionHandedBack,
    ManifestTold,
    NumbersSkipped,
    PageDigest,
    Receipt,
    RecoveryAnswered,
    RecoveryAsked,
    ReplayAsked,
)
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import boxes, linking, sorting, stream
from services.federation.copies import PAGES_AT_ONCE
from services.federation.keys import Keys, read_key_set
from services.federation.mending_tables import readmissions, recoveries, revocations
from services.federation.sealed import Content, content_of, seal
from services.federation.tables import guest_bookings, links, outbox, parked, positions, refusals, sent_log, streams
from tests.services.federation.test_what_a_hub_carries import LILLE, NAMUR, US, at, db, linked, rows

__all__ = ["db"]

NOW = datetime.now(UTC)
THE_DRILL, THE_VAN = new_id(), new_id()
HOUR = timedelta(hours=1)


class Lille:
    """What somebody says who holds Lille's keys, and gives its numbers."""

    def __init__(self, db: Database, link_id: UUID, their_id: UUID) -> None:
        self.db = db
        self.link_id = link_id
        self.their_id = their_id
        self.seq = 0

    def word(self, event: Event, *, seq: int | None = None, epoch: int = 1) -> bytes:
        self.seq = self.seq + 1 if seq is None else self.seq
        place: dict[str, Any] = {"stream": self.their_id, "epoch": epoch, "seq": seq or self.seq, "now": NOW}
        said = content_of(event, event_id=new_id(), audience=US.instance_id, **place)
        return seal(said.model_dump_json(), LILLE)

    async def say(self, *bodies: bytes, now: datetime = NOW) -> None:
        await sorting.take(at(self.db, now), self.link_id, bodies)

    async def heard(self) -> list[str]:
        """The types of what we have said to it."""
        mine = [row for row in await rows(self.db, sent_log) if row["link_id"] == self.link_id]
        return [Content.model_validate_json(row["content"]).type for row in sorted(mine, key=lambda row: row["seq"])]

    async def refused(self) -> list[str]:
        return [row["reason"] for row in await rows(self.db, refusals) if row["link_id"] == self.link_id]


async def next_to_us(db: Database, kind: str = "direct", via: UUID | None = None) -> Lille:
    signed = LILLE.key_set(NOW)
    async with db.transaction() as session:
        key_set = read_key_set(signed, LILLE.instance_id, NOW)
        await linking.keep_key_set(session, LILLE.instance_id, key_set, NOW, signed=signed)
    link_id = await linked(db, LILLE, kind, via)
    their_id = next(row["peer_link_id"] for row in await rows(db, links) if row["id"] == link_id)
    return Lille(db, link_id, their_id)


async def write(db: Database, *statements: sa.Executable) -> None:
    async with db.transaction() as session:
        for statement in statements:
            await session.execute(statement)


async def test_what_waits_in_epochs_that_are_over_waits_no_longer(db: Database) -> None:
    """It could begin one with every message, and leave something in each."""
    lille = await next_to_us(db)
    gone = BorderListingWithdrawn(id=new_id(), version=1)
    await lille.say(*(lille.word(gone, seq=5, epoch=epoch) for epoch in range(2, 30)))
    assert [(row["epoch"], row["seq"]) for row in await rows(db, parked)] == [(29, 5)]


async def test_octets_that_wait_behind_a_gap_are_bounded_too(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PARKED_OCTETS_AT_MOST", 2_000)
    lille = await next_to_us(db)
    gone = BorderListingWithdrawn(id=new_id(), version=1)
    await lille.say(*(lille.word(gone, seq=seq) for seq in range(2, 40)))
    kept = await rows(db, parked)
    assert 2_000 <= sum(len(row["content"]) for row in kept) < 4_000
    await lille.say(lille.word(gone))
    (position,) = await rows(db, positions)
    assert position["applied_to"] == 1 + len(kept), "the first of them waited, and go on"


@pytest.mark.parametrize(
    "lie",
    [
        ReplayAsked(epoch=-1, first=1, last=1),
        NumbersSkipped(epoch=1, first=-5, last=10**12),
        Receipt(epoch=1, applied_to=0, copies=0, proof="rubbish"),
    ],
)
async def test_a_word_that_is_heard_early_is_its_authors_own_lie(db: Database, lie: Event) -> None:
    """Behind a hub, what its author has said itself does not count against the hub."""
    hub = await linked(db, NAMUR, "hub")
    lille = await next_to_us(db, "behind", hub)
    await write(db, sa.insert(streams).values(link_id=lille.link_id, epoch=1, seq=0))
    key = str(US.box.as_dict(private=False)["x"])
    early, first = lille.word(lie, seq=2), lille.word(Receipt(epoch=1, applied_to=0, copies=0), seq=1)
    for body in (early, first):
        await sorting.take(at(db, NOW), hub, [boxes.close(body, US.instance_id, key)])
    assert {row["link_id"]: row["refused"] for row in await rows(db, positions) if row["refused"]} == {lille.link_id: 1}
    assert {row["link_id"] for row in await rows(db, refusals)} == {lille.link_id}


async def test_whoever_claims_to_be_restored_again_and_again_is_helped_once(db: Database) -> None:
    lille = await next_to_us(db)
    for epoch in range(1, 20):
        await lille.say(lille.word(RecoveryAsked(restored_at=NOW), seq=1, epoch=epoch))
    assert (await lille.heard()).count(RecoveryAnswered.type) == 1
    later = datetime.now(UTC) + timedelta(seconds=4)
    await lille.say(lille.word(RecoveryAsked(restored_at=NOW), seq=1, epoch=20), now=later)
    assert (await lille.heard()).count(RecoveryAnswered.type) == 2


async def test_an_answer_that_nobody_asked_for_makes_a_recovery_no_longer(db: Database) -> None:
    lille = await next_to_us(db)
    await lille.say(lille.word(Receipt(epoch=1, applied_to=0, copies=0)))
    begun = {"id": new_id(), "begun_at": NOW, "begun_by": "Hugo"}
    await write(db, sa.insert(recoveries).values(**begun), sa.update(streams).values(recovery_asked_at=NOW))
    for after in (timedelta(0), HOUR):
        await lille.say(lille.word(RecoveryAnswered(handed_back=0)), now=NOW + after)
    (recovery,) = await rows(db, recoveries)
    assert recovery["answered_at"] == NOW


async def test_of_a_manifest_with_absurdly_many_pages_some_are_asked_for(db: Database) -> None:
    lille = await next_to_us(db)
    pages = [PageDigest(first=UUID(int=at), count=1, digest="x") for at in range(PAGES_AT_ONCE + 300)]
    await lille.say(lille.word(ManifestTold(as_of_seq=1, count=1, pages=pages)))
    assert len(await lille.heard()) == PAGES_AT_ONCE


def promise(booking_id: UUID, **changes: Any) -> BorderBookingAnswered:
    """Our yes to one drill from `NOW` on."""
    said: dict[str, Any] = {"booking_id": booking_id, "status": "confirmed", "start": NOW, "end": NOW + HOUR}
    said |= {"reason": None, "owner_name": None, "place_label": None, "version": 2}
    said |= {"quantity": 1, "offer_id": THE_DRILL}
    return BorderBookingAnswered(**(said | changes))


def handed_back(lille: Lille, answer: BorderBookingAnswered, *, by: Keys = US, **asked: Any) -> DecisionHandedBack:
    """`answer` as we had signed it, with what Lille says that it had asked for."""
    place: dict[str, Any] = {"event_id": new_id(), "epoch": 1, "now": NOW}
    ours = content_of(answer, audience=LILLE.instance_id, stream=lille.link_id, seq=7, **place)
    wish: dict[str, Any] = {
        "booking_id": answer.booking_id,
        "offer_id": THE_DRILL,
        "pseudonym": "p",
        "quantity": 1,
        "note": "",
    }
    wish |= {"start": NOW, "end": NOW + HOUR, "decide_by": NOW}
    request = BorderBookingRequested(**(wish | asked))
    theirs = content_of(request, audience=US.instance_id, stream=lille.their_id, seq=1, **place)
    decision = seal(ours.model_dump_json(), Keys(US.root, by.signing)).decode()
    return DecisionHandedBack(request=theirs.model_dump_json(), decision=decision)


async def restored(db: Database) -> Lille:
    """We have begun anew on our link with Lille."""
    lille = await next_to_us(db)
    await lille.say(lille.word(Receipt(epoch=1, applied_to=0, copies=0)))
    await write(db, sa.update(streams).values(epoch=2))
    return lille


async def readmitted(db: Database) -> list[dict[str, Any]]:
    return [
        json.loads(row["data"]) for row in await rows(db, outbox) if row["type"] == "federation.booking_readmitted.v1"
    ]


async def test_what_was_promised_returns_as_it_was_promised_whatever_was_asked_for(db: Database) -> None:
    lille = await restored(db)
    booking_id = new_id()
    absurd = handed_back(lille, promise(booking_id), quantity=500, end=NOW + 90 * HOUR)
    await lille.say(lille.word(absurd))
    (back,) = await readmitted(db)
    assert (back["booking_id"], back["offer_id"], back["quantity"]) == (str(booking_id), str(THE_DRILL), 1)
    assert datetime.fromisoformat(back["end"]) == NOW + HOUR
    assert await lille.refused() == []


@pytest.mark.parametrize("told", [THE_DRILL, None])
async def test_a_promise_about_one_thing_is_none_about_another(db: Database, told: UUID | None) -> None:
    """Nor, of those that do not say yet about what they are, about what is not shared with the peer."""
    lille = await restored(db)
    await lille.say(lille.word(handed_back(lille, promise(new_id(), offer_id=told), offer_id=THE_VAN)))
    assert (await lille.refused(), await readmitted(db)) == (["not_theirs"], [])
    assert await rows(db, guest_bookings) == await rows(db, readmissions) == []


async def test_what_a_thief_of_a_key_promised_in_our_name_is_no_promise(db: Database) -> None:
    lille = await restored(db)
    revoked = {"kid": US.signing_kid, "link_id": lille.link_id}
    await write(db, sa.insert(revocations).values(**revoked, epoch=1, seq=8))
    await lille.say(lille.word(handed_back(lille, promise(new_id()))))
    assert (await lille.refused(), len(await readmitted(db))) == ([], 1), "said before the key was stolen"
    await write(db, sa.update(revocations).values(seq=7))
    await lille.say(lille.word(handed_back(lille, promise(new_id()))))
    assert (await lille.refused(), len(await readmitted(db))) == (["key_revoked"], 1)
    # nor does it make us believe that we were restored
    proof = handed_back(lille, promise(new_id())).decision
    await lille.say(lille.word(Receipt(epoch=2, applied_to=0, copies=0, proof=proof)))
    assert (await lille.refused(), await rows(db, recoveries)) == (["key_revoked"] * 2, [])


async def test_a_promise_that_another_signed_is_a_forgery(db: Database) -> None:
    lille = await restored(db)
    await lille.say(lille.word(handed_back(lille, promise(new_id()), by=LILLE)))
    assert (await lille.refused(), await readmitted(db)) == (["forged"], [])

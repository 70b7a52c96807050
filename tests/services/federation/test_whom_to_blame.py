"""What comes through a hub and is not its alleged sender's word counts against the hub that handed it over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.link import ManifestAsked, ManifestTold, Receipt
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import boxes, linking, peer_keys, receiving, sorting
from services.federation.keys import Keys, read_key_set
from services.federation.public_stream import PUBLIC, stream_of
from services.federation.sealed import content_of, seal
from services.federation.tables import links, positions, quarantine, refusals
from tests.services.federation.test_what_a_hub_carries import (
    GAND,
    LILLE,
    NAMUR,
    NOW,
    US,
    at,
    db,
    linked,
    rows,
    somebody,
)

__all__ = ["db"]
HUB, OTHER_HUB = NAMUR, somebody()


async def known(db: Database, keys: Keys) -> None:
    """Their key set, as it came once."""
    async with db.transaction() as session:
        signed = keys.key_set(NOW)
        key_set = read_key_set(signed, keys.instance_id, NOW)
        await linking.keep_key_set(session, keys.instance_id, key_set, NOW, signed=signed)


async def stream_with(db: Database, link_id: UUID) -> UUID:
    return next(row["peer_link_id"] for row in await rows(db, links) if row["id"] == link_id)


def said(signer: Keys, stream: UUID, seq: int = 1, *, epoch: int = 1, audience: str = US.instance_id) -> bytes:
    """A word on a stream of Lille's, or what somebody passes off as one."""
    nothing = ManifestTold(as_of_seq=0, count=0, pages=[])
    word = nothing if audience == PUBLIC else Receipt(epoch=1, applied_to=0, copies=0)
    place: dict[str, Any] = {"stream": stream, "epoch": epoch, "seq": seq, "now": NOW}
    content = content_of(word, event_id=new_id(), audience=audience, **place).model_dump_json()
    return seal(content, Keys(LILLE.root, signer.signing))  # with Lille's name


def boxed(body: bytes) -> bytes:
    return boxes.close(body, US.instance_id, str(US.box.as_dict(private=False)["x"]))


def with_kid_of(claimed: Keys, body: bytes) -> bytes:
    """The same with the header of something that `claimed` has signed."""
    head = said(claimed, new_id()).partition(b".")[0]
    return head + b"." + body.partition(b".")[2]


async def counted(db: Database) -> dict[UUID, int]:
    return {row["link_id"]: row["refused"] for row in await rows(db, positions) if row["refused"]}


async def heard_at(db: Database, link_id: UUID) -> Any:
    return next((row["last_received_at"] for row in await rows(db, positions) if row["link_id"] == link_id), None)


async def test_what_a_member_behind_the_hub_has_not_said_does_not_count_against_it(db: Database) -> None:
    await known(db, LILLE)
    hub = await linked(db, HUB, "hub")
    lille = await linked(db, LILLE, "behind", hub)
    stream = await stream_with(db, lille)
    genuine, again = said(LILLE, stream, epoch=2), said(LILLE, stream, 2, epoch=1)
    await sorting.take(at(db), hub, [boxed(genuine)])
    assert (await heard_at(db, lille), await counted(db)) == (NOW, {})
    later = at(db, NOW + timedelta(hours=1))
    forged = with_kid_of(LILLE, said(GAND, stream))
    elsewhere, for_another = said(LILLE, new_id()), said(LILLE, stream, audience=GAND.instance_id)
    await sorting.take(later, hub, [boxed(body) for body in (forged, elsewhere, for_another, again, genuine)])
    kept = [(row["link_id"], row["reason"]) for row in await rows(db, refusals)]
    assert kept == [(hub, reason) for reason in ("forged", "wrong_stream", "wrong_audience", "old_epoch")]
    assert await counted(db) == {hub: 4}
    assert await heard_at(db, lille) == NOW, "what anybody can repeat is no sign of life"
    # what it did say, and may not, does count against it
    await sorting.take(later, hub, [boxed(said(LILLE, stream, 2, epoch=2)), boxed(tell_of_members(stream))])
    assert await counted(db) == {hub: 4, lille: 1}
    assert await heard_at(db, lille) == later.now


def tell_of_members(stream: UUID) -> bytes:
    """Lille's own word, that only a hub may say."""
    data = {"member": str(new_id()), "instance_id": GAND.instance_id, "name": "", "summary": "", "web": ""}
    content = content_of(
        ManifestAsked(), event_id=new_id(), audience=US.instance_id, stream=stream, epoch=2, seq=3, now=NOW
    ).model_copy(update={"type": "link.member_told.v1", "data": data | {"status": "left", "key_set": ""}})
    return seal(content.model_dump_json(), LILLE)


@pytest.mark.parametrize("kind", ["direct", "behind"])
async def test_a_hub_answers_for_what_it_says_in_the_name_of_one_that_is_not_behind_it(db: Database, kind: Any) -> None:
    await known(db, LILLE)
    first, second = await linked(db, HUB, "hub"), await linked(db, OTHER_HUB, "hub")
    await linked(db, LILLE, kind, first if kind == "behind" else None)
    stream = stream_of(LILLE.instance_id)
    forged = with_kid_of(LILLE, said(GAND, stream, audience=PUBLIC))
    await sorting.take(at(db), second, [said(LILLE, stream, audience=PUBLIC), forged])
    assert await counted(db) == {second: 1}


async def test_of_what_waits_for_a_key_it_is_known_who_handed_it_over(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known(db, LILLE)
    first, second = await linked(db, HUB, "hub"), await linked(db, OTHER_HUB, "hub")
    lille = await linked(db, LILLE, "behind", first)
    next_key = somebody()
    public = stream_of(LILLE.instance_id)
    strange = [said(somebody(), public, audience=PUBLIC), said(next_key, public, audience=PUBLIC)]
    mine = said(next_key, await stream_with(db, lille))
    await sorting.take(at(db), second, [*strange, with_kid_of(next_key, said(GAND, public, audience=PUBLIC))])
    await sorting.take(at(db), first, [boxed(mine)])
    assert {row["handed_by"] for row in await rows(db, quarantine)} == {first, second}
    await known(db, Keys(LILLE.root, LILLE.signing, (next_key.signing,)))
    for row in await rows(db, links):
        if row["peer_id"] == LILLE.instance_id:
            await db.run(peer_keys.release, row, own=US, now=NOW)
    assert await rows(db, quarantine) == []
    reasons = sorted((row["link_id"], row["reason"]) for row in await rows(db, refusals))
    assert reasons == [(second, "forged"), (second, "unknown_key")]
    assert await heard_at(db, lille) == NOW
    monkeypatch.setattr(receiving, "QUARANTINED_AT_MOST", 0)
    await sorting.take(at(db), second, [said(somebody(), public, audience=PUBLIC)])
    assert await counted(db) == {second: 3}


async def test_a_hub_that_was_left_meanwhile_has_no_account(db: Database) -> None:
    await known(db, LILLE)
    await linked(db, LILLE, "direct")
    hub = await linked(db, HUB, "hub")
    heard = stream_of(LILLE.instance_id)
    await sorting.take(at(db), hub, [said(LILLE, heard, audience=PUBLIC)])
    (stream,) = [row for row in await rows(db, links) if row["kind"] == "heard"]
    async with db.transaction() as session:
        await linking.end(session, await linking.get_for_update(session, hub), reason=None, tell=False, now=NOW)
    given: dict[str, Any] = {"own": US, "now": NOW, "handed_by": hub}
    await db.run(receiving.receive, stream["id"], [with_kid_of(LILLE, said(GAND, heard, audience=PUBLIC))], **given)
    async with db.reading() as session:
        query = sa.select(sa.func.count()).select_from(refusals).where(refusals.c.link_id == hub)
        assert (await session.execute(query)).scalar_one() == 0
    assert await counted(db) == {}

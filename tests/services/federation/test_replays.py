"""How much a peer may have said again in an hour: one that asks without end, and one that has really lost much."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.link import LinkWord, ManifestAsked, ManifestPageAsked, RecoveryAsked, ReplayAsked
from services.chassis.clock import Clock
from services.federation import mending, public_stream, replays, saying, tending
from services.federation.mending_tables import replays as table
from services.federation.tables import border_outbox, positions, sent_log, shares, streams
from tests.services.federation.pair import Pair, eventually, listing, published
from tests.services.federation.test_hostile_peer import Namur, refused
from tests.services.federation.test_mending import change, holds, lose_what_is_said

pytestmark = pytest.mark.asyncio(loop_scope="module")

IN_AN_HOUR = 10


@pytest.fixture(autouse=True)
def a_small_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "MESSAGES_IN_AN_HOUR", IN_AN_HOUR)


async def begin_public_stream(pair: Pair) -> int:
    """As if Lille were in a hub. Returns the epoch."""
    async with pair.lille.db.transaction() as session:
        begun = await public_stream.open_ours(session, pair.lille.border.us, now=Clock().now())
        ours = begun or await public_stream.ours(session)
        assert ours is not None
        await saying.share_everything(session, ours)
        return int(ours["epoch"])


async def said_on(pair: Pair, link_id: UUID) -> int:
    return len([row for row in await pair.lille.rows(sent_log) if row["link_id"] == link_id])


@pytest.mark.parametrize("first_number", [1, 2], ids=["in its turn", "while an earlier word is missing"])
@pytest.mark.parametrize("public", [False, True])
async def test_who_asks_without_end_is_answered_only_so_far(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, first_number: int, *, public: bool
) -> None:
    async def nothing(*_given: object, **_named: object) -> None: ...

    monkeypatch.setattr(tending, "tend", nothing)  # the numbers in Namur's stream are ours to give
    monkeypatch.setattr(mending, "SAME_AGAIN_AFTER", timedelta(0))
    again: list[Any] = []
    put_again = mending.carrying.put_again

    async def noted(*given: Any) -> None:
        again.append(given)
        await put_again(*given)

    monkeypatch.setattr(mending.carrying, "put_again", noted)
    lille_id, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    offers = [listing(scope="public") for _ in range(4)]
    for offer in offers:
        await pair.lille.say("catalog", published(offer))
    await eventually(lambda: holds(pair.namur, offers))
    (own,) = [row["epoch"] for row in await pair.lille.rows(streams) if row["link_id"] == lille_id]
    epoch, before = await begin_public_stream(pair) if public else own, await said_on(pair, lille_id)

    asked = ReplayAsked(epoch=epoch, first=1, last=4, public=public)
    await namur.put(*(namur.message(asked, number) for number in range(first_number, first_number + 6)))
    # each costs five: the answer, and what is said again
    assert await refused(pair.lille, 4) == ["too_much"] * 4
    assert (await pair.lille.rows(table))[0]["messages"] == IN_AN_HOUR
    if public:  # whoever is next to us is told that it hears all of it there
        assert await said_on(pair, lille_id) == before + 2
    else:
        assert len(again) == 2


ALL = ManifestPageAsked(first=UUID(int=0), until=None)


@pytest.mark.parametrize("asked", [ALL, RecoveryAsked(restored_at=Clock().now())], ids=["pages", "what is forgotten"])
async def test_what_is_said_anew_and_stays_in_the_log_counts_for_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, asked: LinkWord
) -> None:
    async def nothing(*_given: object, **_named: object) -> None: ...

    monkeypatch.setattr(tending, "tend", nothing)
    lille_id, namur_id = await pair.link()
    namur, before = Namur(pair, namur_id), await said_on(pair, lille_id)
    manifest = ManifestAsked()
    await namur.put(*(namur.message(word, number) for number, word in enumerate([asked] * 5 + [manifest], 1)))
    assert await refused(pair.lille, 5) == ["too_much"] * 5
    assert await said_on(pair, lille_id) == before + 1
    assert [row["manifest_wanted"] for row in await pair.lille.rows(streams) if row["link_id"] == lille_id] == [False]
    await change(pair.lille, sa.update(table).values(since=table.c.since - replays.HOUR))
    await namur.put(namur.message(ALL, 7))
    await eventually(lambda: has_said(pair, lille_id, before + 2))


async def has_said(pair: Pair, link_id: UUID, count: int) -> bool:
    return await said_on(pair, link_id) == count


async def test_things_said_anew_on_request_are_counted(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    offer = listing()
    await pair.lille.say("catalog", published(offer))
    await eventually(lambda: holds(pair.namur, [offer]))

    async def is_compared() -> bool:
        (ours,) = [row for row in await pair.lille.rows(streams) if row["link_id"] == lille_id]
        return ours["manifest_at"] is not None and not ours["manifest_wanted"]

    await eventually(is_compared)
    asked = sa.update(shares).where(shares.c.thing_id == offer.id).values(asked=True)
    await change(pair.lille, sa.delete(table), asked)

    async def is_counted() -> bool:
        return [row["messages"] for row in await pair.lille.rows(table)] == [replays.ANEW]

    await eventually(is_counted)


async def test_who_has_lost_more_than_an_hour_gives_has_all_of_it_later(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "FIRST_PAUSE", timedelta(seconds=1))
    monkeypatch.setattr(mending, "LONGEST_PAUSE", timedelta(seconds=1))
    monkeypatch.setattr(mending, "REPLAY_AT_MOST", IN_AN_HOUR - 2)
    lille_id, _ = await pair.link()
    lost = [listing() for _ in range(3 * IN_AN_HOUR)]
    await lose_what_is_said(pair, lille_id, lost)
    after = listing()
    await pair.lille.say("catalog", published(after))
    assert set(await refused(pair.lille, 1)) == {"too_much"}
    assert not await holds(pair.namur, lost)

    async def goes_on() -> bool:
        await change(pair.lille, sa.update(table).values(since=table.c.since - replays.HOUR))
        return await holds(pair.namur, [*lost, after])

    await eventually(goes_on, seconds=60)

    async def nothing_waits() -> bool:  # receipts go on being said, and each waits for a moment
        return not await pair.lille.rows(border_outbox)

    await eventually(nothing_waits)
    assert [row["refused"] for row in await pair.namur.rows(positions)] == [0]

"""A linked cooperative with valid credentials that lies: nothing gets in, all of it is kept and counted."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import aio_pika
import pytest
import sqlalchemy as sa
from aio_pika.exceptions import ChannelPreconditionFailed
from joserfc import jws
from joserfc.jwk import OKPKey

from contracts.border import BorderBookingAnswered, BorderBookingRequested, BorderListingWithdrawn
from contracts.envelope import Event
from contracts.federation import ListingGone, MessageRefused
from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.federation import boxes, inbound, receiving, stream, tending, translation
from services.federation.keys import ALGORITHM, Keys
from services.federation.sealed import content_of, seal
from services.federation.tables import key_sets, parked, positions, quarantine
from tests.services.federation.pair import Pair, Post, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = Clock().now


@pytest.fixture(autouse=True)
def nobody_speaks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No receipts and manifests: the numbers in Namur's stream are ours to give."""

    async def nothing(*_given: object, **_named: object) -> None: ...

    monkeypatch.setattr(tending, "tend", nothing)


class Namur:
    """Namur's own queue towards Lille, written by somebody who holds Namur's keys and broker."""

    def __init__(self, pair: Pair, link_id: UUID) -> None:
        self.pair = pair
        self.link_id = link_id
        self.keys = pair.namur.border.keys

    async def put(self, *bodies: bytes, headers: dict[str, Any] | None = None) -> None:
        settings = self.pair.namur.instance.settings()
        async with await aio_pika.connect(settings.broker_url("federation", border=True)) as connection:
            exchange = await (await connection.channel()).get_exchange("out", ensure=False)
            for body in bodies:
                await exchange.publish(aio_pika.Message(body, headers=headers), names.out(str(self.link_id)))

    def message(self, event: Event, seq: int, *, by: Keys | None = None, epoch: int = 1, **changes: Any) -> bytes:
        content = content_of(
            event,
            event_id=new_id(),
            audience=self.pair.lille.border.us,
            stream=self.link_id,
            epoch=epoch,
            seq=seq,
            now=NOW(),
        ).model_dump(mode="json")
        return seal(json.dumps(content | changes), by or self.keys)


def gone() -> BorderListingWithdrawn:
    return BorderListingWithdrawn(id=new_id(), version=1)


async def refused(post: Post, count: int) -> list[str]:
    """The reasons of the refusals at `post`, oldest first, once there are `count`."""

    async def enough() -> bool:
        return (await post.link())["refused"] >= count

    await eventually(enough)
    link = await post.link()
    page = await post.call("GET", f"/links/{link['link_id']}/refusals")
    return [refusal["reason"] for refusal in reversed(page["items"])]


def lies(namur: Namur, lille_id: UUID) -> list[bytes]:
    """Each wrong in its own way, see `REASONS`."""
    start, end = NOW(), NOW() + timedelta(hours=1)
    stolen = BorderBookingAnswered(
        booking_id=new_id(),
        status="confirmed",
        reason=None,
        owner_name=None,
        place_label=None,
        version=1,
        start=start,
        end=end,
    )
    uninvited = BorderBookingRequested(
        booking_id=new_id(),
        offer_id=new_id(),
        pseudonym="p",
        quantity=1,
        note="",
        decide_by=end,
        start=start,
        end=end,
    )
    return [
        b"rubbish",
        namur.message(gone(), 1)[:-8] + b"AAAAAAAA",
        namur.message(gone(), 1, audience="x" * 43),
        namur.message(gone(), 1, stream=str(lille_id)),
        namur.message(stolen, 1),
        namur.message(uninvited, 2),
        namur.message(gone(), 3, type="booking.confirmed.v1"),
        namur.message(gone(), 4, data={"id": "x", "version": "\u0000"}),
        namur.message(gone(), 5, expires_at=NOW().isoformat()),
        b"x" * (256 * 1024 + 1),
    ]


REASONS = [
    "unreadable", "forged", "wrong_audience", "wrong_stream", "not_theirs", "not_theirs", "unknown_type", "malformed",
    "expired", "too_large",
]  # fmt: skip


async def test_lies_are_refused_and_honest_words_still_pass(pair: Pair) -> None:
    lille_id, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    async with (
        pair.lille.ear("matching", ListingGone) as heard,
        pair.lille.ear("notify", MessageRefused) as told,
    ):
        await namur.put(*lies(namur, lille_id))
        assert await refused(pair.lille, len(REASONS)) == REASONS
        honest = gone()
        await namur.put(namur.message(honest, 6), headers={"CC": [names.out(str(lille_id))]})
        assert (await heard()).id == honest.id
        assert [(await told()).count for _ in range(4)] == [1, 2, 4, 8]
    assert (await pair.lille.rows(positions))[0]["applied_to"] == 6


async def test_repeated_and_disordered_messages_have_one_effect_in_order(pair: Pair) -> None:
    _, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    events = [gone() for _ in range(6)]
    bodies = [namur.message(event, seq) for seq, event in enumerate(events, 1)]
    async with pair.lille.ear("matching", ListingGone) as heard:
        await namur.put(*(bodies[at] for at in (0, 0, 3, 2, 0, 5, 3, 4)))  # the second is missing
        first = await heard()
        assert first.id == events[0].id

        async def waits_for_the_second() -> bool:
            row = (await pair.lille.rows(positions))[0]
            return row["applied_to"] == 1 and row["gap_since"] is not None and len(await pair.lille.rows(parked)) == 4

        await eventually(waits_for_the_second)
        await namur.put(bodies[1], bodies[1])
        assert [(await heard()).id for _ in range(5)] == [event.id for event in events[1:]]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await heard()
    row = (await pair.lille.rows(positions))[0]
    assert (row["applied_to"], row["gap_since"], row["refused"]) == (6, None, 0)


@pytest.mark.parametrize("where", ["translation", "gate"])
async def test_what_nobody_foresaw_is_kept_with_its_reason_and_lets_others_pass(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    _, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    cursed = gone()
    monkeypatch.setattr(inbound, "RETRY_SECONDS", 0.05)
    if where == "translation":
        real = translation.inside

        def inside(event: Event, **more: Any) -> Event:
            if event == cursed:
                raise RuntimeError("nobody thought of that")
            return real(event, **more)

        monkeypatch.setattr(stream.translation, "inside", inside)
        body = namur.message(cursed, 1)
    else:
        body = b"cursed"
        read = receiving.authenticate

        def authenticate(found: bytes, passage: Any) -> Any:
            if found == body:
                raise RuntimeError("nobody thought of that")
            return read(found, passage)

        monkeypatch.setattr(receiving, "authenticate", authenticate)
    async with pair.lille.ear("matching", ListingGone) as heard:
        honest = gone()
        await namur.put(body, namur.message(honest, 2 if where == "translation" else 1))
        assert await refused(pair.lille, 1) == ["not_applied"]
        assert (await heard()).id == honest.id


async def test_a_key_not_known_yet_waits_until_the_key_set_is_fetched(pair: Pair) -> None:
    _, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    rotated = Keys(namur.keys.root, OKPKey.generate_key(ALGORITHM))
    stranger = Keys(OKPKey.generate_key(ALGORITHM), OKPKey.generate_key(ALGORITHM))
    pair.line.cut = True
    async with pair.lille.ear("matching", ListingGone) as heard:
        late = gone()
        await namur.put(namur.message(late, 1, by=rotated), namur.message(gone(), 2, by=stranger))

        async def both_wait() -> bool:
            return len(await pair.lille.rows(quarantine)) == 2

        await eventually(both_wait)
        object.__setattr__(pair.namur.border, "keys", rotated)
        pair.line.cut = False
        async with pair.lille.db.transaction() as session:
            await session.execute(sa.update(key_sets).values(tried_at=None))
            await session.execute(sa.select(sa.func.pg_notify("links", "")))
        assert (await heard()).id == late.id
    object.__setattr__(pair.namur.border, "keys", namur.keys)
    assert await refused(pair.lille, 1) == ["unknown_key"]


async def test_a_flood_is_kept_within_bounds(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PARKED_AT_MOST", 5)
    _, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    await namur.put(*(namur.message(gone(), seq) for seq in range(2, 40)), b"end")
    await refused(pair.lille, 1)
    assert len(await pair.lille.rows(parked)) == 5


async def test_a_broker_hands_on_nothing_much_larger_than_a_message_can_be(pair: Pair) -> None:
    """Hundreds of a peer's are in the memory of whoever reads them before the gate sees the first."""
    _, namur_id = await pair.link()
    namur = Namur(pair, namur_id)
    await namur.put(b"x" * boxes.LARGEST_BOX)
    assert await refused(pair.lille, 1) == ["too_large"]
    with pytest.raises(ChannelPreconditionFailed):
        await namur.put(b"x" * 2 * boxes.LARGEST_BOX)


async def test_documents_not_signed_by_the_peer_change_no_link(pair: Pair) -> None:
    lille_id, namur_id = await pair.link()
    forger = OKPKey.generate_key(ALGORITHM)
    ending = {
        "audience": pair.namur.border.us,
        "link_id": str(lille_id),
        "your_link_id": str(namur_id),
        "expires_at": (NOW() + timedelta(minutes=5)).isoformat(),
    }
    for typ, key in (("maillage-link-ending", forger), ("maillage-event", pair.lille.border.keys.root)):
        text = jws.serialize_compact({"alg": ALGORITHM, "typ": typ}, json.dumps(ending), key, algorithms=[ALGORITHM])
        for path in ("/federation/endings", f"/federation/links/{namur_id}/confirmed", "/federation/links"):
            with pytest.raises(Exception, match="HTTP 403"):
                await pair.line.post(pair.namur.border.address, path, text)
    assert (await pair.namur.link())["status"] == "active"

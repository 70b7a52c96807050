"""What a hostile peer has to work with: its link with Lille, its account at Lille's broker, and lies to tell."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import aio_pika
import httpx
import pytest
from aio_pika.exceptions import AMQPError
from joserfc import jws

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderContactShared,
    BorderListingWithdrawn,
)
from contracts.envelope import Event
from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.chassis.management import Management
from services.federation.keys import ALGORITHM
from services.federation.sealed import TYP, content_of
from services.federation.tables import positions
from tests.services.federation.pair import Pair
from tests.services.federation.test_hostile_peer import Namur

NOW = Clock().now


@dataclass
class Scene:
    """Lille, linked with Namur, which is hostile; and the queue of a third cooperative on Lille's broker."""

    pair: Pair
    namur: Namur
    lille_id: UUID
    third_id: UUID
    user: str
    password: str
    management: Management

    @property
    def border(self) -> str:
        return names.border_vhost(self.pair.lille.instance.name)

    def url(self, vhost: str, *, user: str | None = None) -> str:
        settings = self.pair.lille.instance.settings()
        who = f"{quote(user or self.user, safe='')}:{quote(self.password, safe='')}"
        return f"amqp://{who}@{settings.broker_host}:{settings.broker_port}/{quote(vhost, safe='')}"

    async def depth(self, queue: str) -> int:
        """Messages in a queue of Lille's border, counted by the broker when asked and not by its statistics."""
        settings = self.pair.lille.instance.settings()
        admin = httpx.URL(settings.secret("admin_broker_url"))
        url = f"amqp://{admin.username}:{admin.password}@{settings.broker_host}:{settings.broker_port}/"
        async with await aio_pika.connect(url + quote(self.border, safe="")) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def refused(self) -> int:
        return sum(int(row["refused"]) for row in await self.pair.lille.rows(positions))


Deed = Callable[[aio_pika.abc.AbstractChannel], Awaitable[object]]


async def refused_by_broker(scene: Scene, deed: Deed) -> str:
    """What the broker said to `deed`."""
    async with await aio_pika.connect(scene.url(scene.border)) as connection:
        channel = await connection.channel(on_return_raises=True)
        with pytest.raises((AMQPError, asyncio.TimeoutError)) as caught:
            async with asyncio.timeout(5):
                await deed(channel)
    return str(caught.value)


def deeds_of(scene: Scene) -> dict[str, Deed]:
    mine, theirs = names.out(str(scene.lille_id)), names.out(str(scene.third_id))
    inbound = names.inbound(str(scene.lille_id))

    async def read(channel: aio_pika.abc.AbstractChannel, queue: str) -> object:
        return await (await channel.get_queue(queue, ensure=False)).get(fail=False)

    async def publish(channel: aio_pika.abc.AbstractChannel, exchange: str, key: str) -> object:
        where = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        return await where.publish(aio_pika.Message(b"x"), key)

    return {
        "read another peer's queue": lambda channel: read(channel, theirs),
        "read what others sent to Lille": lambda channel: read(channel, names.inbound(str(scene.third_id))),
        "read what it sent itself": lambda channel: read(channel, inbound),
        "publish to another peer": lambda channel: publish(channel, "out", theirs),
        "publish to itself as Lille": lambda channel: publish(channel, "out", mine),
        "publish past the exchanges": lambda channel: publish(channel, "", theirs),
        "publish as another peer": lambda channel: publish(channel, names.inbound(str(scene.third_id)), ""),
        "make a queue": lambda channel: channel.declare_queue("x"),
        "make an exchange": lambda channel: channel.declare_exchange("x"),
        "delete its queue": lambda channel: channel.queue_delete(mine),
        "empty another peer's queue": lambda channel: _purge(channel, theirs),
        "bind its queue to more": lambda channel: _bind(channel, mine),
    }


async def _purge(channel: aio_pika.abc.AbstractChannel, queue: str) -> object:
    return await (await channel.get_queue(queue, ensure=False)).purge()


async def _bind(channel: aio_pika.abc.AbstractChannel, queue: str) -> object:
    return await (await channel.get_queue(queue, ensure=False)).bind("out", names.out("x"))


def speaking_for(source: str, namur: Namur, event: Event) -> bytes:
    """A genuine signature of Namur's under a message that says it is from `source`."""
    content = content_of(
        event, event_id=new_id(), audience=namur.pair.lille.border.us, stream=namur.link_id, epoch=1, seq=1, now=NOW()
    )
    payload = json.dumps(content.model_dump(mode="json") | {"source": source})
    header = {"alg": ALGORITHM, "kid": namur.keys.signing_kid, "typ": TYP}
    return jws.serialize_compact(header, payload, namur.keys.signing, algorithms=[ALGORITHM]).encode()


def gone() -> BorderListingWithdrawn:
    return BorderListingWithdrawn(id=new_id(), version=1)


def lies_of(namur: Namur, third_id: UUID) -> list[tuple[str, bytes, str]]:
    """Each as it is told in the report, the message, and why it is refused; the authentic ones have numbers 1 to 9."""
    asked, hour = new_id(), timedelta(hours=1)
    answer = BorderBookingAnswered(
        booking_id=asked, status="confirmed", start=NOW(), end=NOW() + hour, reason=None, owner_name=None,
        place_label=None, version=1,
    )  # fmt: skip
    wish = BorderBookingRequested(
        booking_id=new_id(), offer_id=new_id(), pseudonym="p", start=NOW(), end=NOW() + hour, quantity=1, note="",
        decide_by=NOW() + hour,
    )  # fmt: skip
    withdrawal = BorderBookingWithdrawn(booking_id=asked, reason="")
    theft = BorderContactShared(booking_id=asked, name="Eve", email="eve@evil.example")
    return [
        ("say nonsense", b"\x00\xff rubbish", "unreadable"),
        ("forge a signature", namur.message(gone(), 1)[:-8] + b"AAAAAAAA", "forged"),
        ("send more than 256 KiB", b"x" * (256 * 1024 + 1), "too_large"),
        ("hand on what was said to a third", namur.message(gone(), 1, audience="x" * 43), "wrong_audience"),
        ("speak for a third", speaking_for("x" * 43, namur, gone()), "wrong_source"),
        ("call itself .*", speaking_for(".*", namur, gone()), "unreadable"),
        ("use another link's numbers", namur.message(gone(), 1, stream=str(third_id)), "wrong_stream"),
        ("answer for a booking that is not its own", namur.message(answer, 1), "not_theirs"),
        ("ask for what is not shared with it", namur.message(wish, 2), "not_theirs"),
        ("withdraw another's booking", namur.message(withdrawal, 3), "not_theirs"),
        ("give an address for another's booking", namur.message(theft, 4), "not_theirs"),
        ("say what only our services say", namur.message(gone(), 5, type="booking.confirmed.v1"), "unknown_type"),
        ("send a malformed event", namur.message(gone(), 6, data={"id": "x", "version": "\u0000"}), "malformed"),
        ("claim a number no database holds", namur.message(gone(), 7, data={"id": str(new_id()), "version": 10**30}),
         "malformed"),
        ("send what has expired", namur.message(gone(), 8, expires_at=NOW().isoformat()), "expired"),
        ("send from the future", namur.message(gone(), 9, time=(NOW() + hour).isoformat()), "malformed"),
    ]  # fmt: skip

"""Events said by hand, in any order and as often as a test likes, under the user of the service that says them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractConnection

from contracts.catalog import Audience, ListingPublished, ListingState, ListingWithdrawn
from contracts.envelope import Envelope, Event
from contracts.federation import ListingGone, ListingReceived
from contracts.shared import SharedListing
from services.chassis import names
from services.chassis.ids import new_id
from services.chassis.publishing import Message, Publisher
from tests.instances import Instance

PEER = "peer-thumbprint"
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One event as it was said once: every delivery of it has the same id."""

    envelope: Envelope

    @classmethod
    def of(cls, event: Event, *, at: datetime | None = None, instance: str = "elsewhere") -> Self:
        publisher = event.type.split(".")[0]
        return cls(
            envelope=Envelope(
                id=new_id(),
                source=f"{instance}/{publisher}",
                type=event.type,
                time=at or datetime.now(UTC),
                subject=event.subject,
                data=event.model_dump_json().encode(),
            )
        )

    def message(self) -> Message:
        return Message(
            exchange=names.EVENTS,
            key=self.envelope.type,
            headers=self.envelope.headers(),
            body=self.envelope.data,
            id=str(self.envelope.id),
        )


class Speaker:
    """Publishes as any service of `instance`."""

    def __init__(self, instance: Instance) -> None:
        self._settings = instance.settings()
        self._publishers: dict[str, Publisher] = {}
        self._connections: dict[str, AbstractConnection] = {}

    async def say(self, *deliveries: Said) -> None:
        for said in deliveries:
            await self.send(said.message())

    async def send(self, message: Message) -> None:
        service = message.key.split(".")[0]
        if service not in self._publishers:
            self._publishers[service] = Publisher(self._settings.broker_url(service))
        await self._publishers[service].publish(message)

    async def left(self, service: str, event_types: Sequence[str]) -> int:
        """Messages ready in the queues of `service` for these types; what is in a consumer's hands is not counted."""
        return sum([await self._ready(service, names.queue(service, event_type)) for event_type in event_types])

    async def dead(self, service: str) -> int:
        return await self._ready(service, names.dead(service))

    async def _ready(self, service: str, queue: str) -> int:
        if service not in self._connections:
            self._connections[service] = await aio_pika.connect(self._settings.broker_url(service))
        async with await self._connections[service].channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def close(self) -> None:
        for publisher in self._publishers.values():
            await publisher.close()
        for connection in self._connections.values():
            await connection.close()


@asynccontextmanager
async def speaking(instance: Instance) -> AsyncGenerator[Speaker]:
    """A speaker, closed with the block."""
    async with AsyncExitStack() as stack:
        speaker = Speaker(instance)
        stack.push_async_callback(speaker.close)
        yield speaker


def published(listing_id: UUID, version: int, **changes: Any) -> ListingPublished:
    """Version `version` of an offer of ours."""
    state: dict[str, Any] = {
        "id": listing_id,
        "side": "offer",
        "kind": "machine",
        "title": f"Version {version}",
        "text": "",
        "category": "Atelier",
        "language": "fr",
        "place": None,
        "quantity": 1,
        "unit": "machine",
        "owner_member_id": UUID(int=7),
        "owner_circle_id": None,
        "owner_name": "Paul",
        "audience": Audience(scope="cooperative"),
        "valid_from": None,
        "valid_until": None,
        "window_start": None,
        "window_end": None,
        "urgency": "normal",
        "version": version,
        "changed_at": LONG_AGO + timedelta(minutes=version),
    }
    return ListingPublished(listing=ListingState(**(state | changes)))


def withdrawn(listing_id: UUID, version: int) -> ListingWithdrawn:
    return ListingWithdrawn(id=listing_id, side="offer", version=version, reason="withdrawn")


def received(listing_id: UUID, version: int, *, epoch: int = 1) -> ListingReceived:
    """Version `version` of an offer of a peer."""
    own = published(listing_id, version).listing.model_dump()
    shared = SharedListing(**{name: own[name] for name in SharedListing.model_fields if name in own}, public=False)
    return ListingReceived(origin=PEER, origin_name="Namur", epoch=epoch, listing=shared)


def gone(listing_id: UUID, version: int, *, epoch: int = 1) -> ListingGone:
    return ListingGone(origin=PEER, origin_name="Namur", epoch=epoch, id=listing_id, version=version)

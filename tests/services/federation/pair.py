"""Two cooperatives with real databases and one real RabbitMQ between them; only their HTTP goes by a direct line."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import aio_pika
import httpx
import sqlalchemy as sa

from contracts.catalog import Audience, ListingPublished, ListingState
from contracts.envelope import Event
from contracts.identity import Place
from services.chassis import names
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.management import Management
from services.chassis.process import Service
from services.chassis.publishing import Publisher
from services.chassis.relay import event_message
from services.federation.border import Border
from services.federation.peer_http import PeerRefused, PeerUnreachable
from services.federation.tables import broker_orders
from tests.instances import Instance

EventT = TypeVar("EventT", bound=Event)
PATIENCE = 60.0


@dataclass
class Line:
    """How the two call each other: straight into the other's application, by address. `cut`: nobody answers."""

    applications: dict[str, Any] = field(default_factory=dict[str, Any])
    cut: bool = False

    async def get(self, address: str, path: str) -> str:
        return await self._call("GET", address, path, None)

    async def post(self, address: str, path: str, document: str) -> str:
        return await self._call("POST", address, path, document)

    async def _call(self, method: str, address: str, path: str, document: str | None) -> str:
        if self.cut or address not in self.applications:
            raise PeerUnreachable("cut")
        transport = httpx.ASGITransport(app=self.applications[address])
        async with httpx.AsyncClient(transport=transport, base_url=address) as client:
            answer = await client.request(method, path, content=document)
        if answer.is_error:
            raise PeerRefused(answer.status_code)
        return answer.text


@dataclass
class Post:
    """The border post of one cooperative, running inside the test."""

    instance: Instance
    service: Service
    border: Border
    coordinator: str

    @property
    def db(self) -> Database:
        assert self.service.database is not None
        return self.service.database

    def client(self, role: Any = "coordinator") -> httpx.AsyncClient:
        return self.instance.client(self.service, self.instance.token(role=role, name=self.coordinator))

    async def call(self, method: str, path: str, *, expect: int = 200, json: Any = None) -> Any:
        async with self.client() as client:
            answer = await client.request(method, path, json=json)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def link(self) -> Any:
        """The newest living link, as the coordinator sees it."""
        found = [link for link in await self.call("GET", "/links") if link["status"] != "ended"]
        return found[0] if found else None

    async def say(self, service: str, event: Event) -> None:
        """Have another service of this instance say `event`."""
        publisher = Publisher(self.instance.settings().broker_url(service))
        row: Any = {
            "id": new_id(),
            "type": event.type,
            "subject": event.subject,
            "time": datetime.now(UTC),
            "traceparent": None,
            "data": event.model_dump_json(),
        }
        try:
            await publisher.publish(event_message(f"{self.instance.name}/{service}")(row))
        finally:
            await publisher.close()

    @contextlib.asynccontextmanager
    async def ear(self, service: str, kind: type[EventT]) -> AsyncGenerator[Callable[[], Awaitable[EventT]]]:
        """Gives `heard()`: the next event of `kind` that reaches `service`, which does not run itself."""
        connection = await aio_pika.connect(self.instance.settings().broker_url(service))
        async with connection:
            channel = await connection.channel()
            queue = await channel.get_queue(names.queue(service, kind.type), ensure=False)
            await queue.purge()  # what an earlier test did not wait for
            arrived: asyncio.Queue[bytes] = asyncio.Queue()

            async def take(message: Any) -> None:
                arrived.put_nowait(message.body)  # first: acknowledging takes its time, and others would overtake
                await message.ack()

            await queue.consume(take)

            async def heard() -> EventT:
                async with asyncio.timeout(PATIENCE):
                    return kind.model_validate_json(await arrived.get())

            yield heard

    async def rows(self, table: sa.Table) -> list[Any]:
        async with self.db.reading() as session:
            return list((await session.execute(sa.select(table))).mappings().all())


@dataclass
class Pair:
    """Lille invites Namur."""

    lille: Post
    namur: Post
    line: Line

    async def invite(self) -> str:
        return (await self.lille.call("POST", "/invitations", expect=201))["code"]

    async def link(self) -> tuple[UUID, UUID]:
        """The whole way from the invitation to an active link; the link's id at Lille and at Namur."""
        await self.namur.call("POST", "/links", json={"code": await self.invite()}, expect=201)
        waiting = await self.lille.link()
        await self.lille.call("POST", f"/links/{waiting['link_id']}/confirm")
        await self.until_status("active")
        return UUID((await self.lille.link())["link_id"]), UUID((await self.namur.link())["link_id"])

    async def until_broker_is_clean(self) -> None:
        async def clean() -> bool:
            return not any([await queues(post) or await users(post) for post in (self.lille, self.namur)])

        await eventually(clean)

    async def until_status(self, status: str) -> None:
        for post in (self.lille, self.namur):

            async def reached(post: Post = post) -> bool:
                link = await post.link()
                return (link["status"] if link else "ended") == status

            await eventually(reached)


async def pause(post: Post, link_id: object) -> None:
    """Pause a link, and return once nothing is fetched over it any more: what is said from then on waits.

    Over a link through a hub nothing is fetched: it has no orders for the broker.
    """
    await post.call("POST", f"/links/{link_id}/pause")

    async def is_paused() -> bool:
        orders = [row for row in await post.rows(broker_orders) if str(row["link_id"]) == str(link_id)]
        return all(row["command"] == "pause" and row["done_generation"] == row["generation"] for row in orders)

    await eventually(is_paused)


async def queues(post: Post) -> set[str]:
    """What is in the border vhost."""
    return await _names(post, "queues", names.border_vhost(post.instance.name))


async def users(post: Post) -> set[str]:
    """The broker's users made for links."""
    mine = f"{post.instance.name}."
    found = await _names(post, "users")
    return {user for user in found if user.startswith((mine + "peer.", mine + "shovel."))}


async def _names(post: Post, *path: str) -> set[str]:
    management = Management(post.instance.settings().secret("admin_broker_url"))
    try:
        return {thing["name"] for thing in await management.call("GET", *path)}
    finally:
        await management.close()


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE) -> None:
    """Return once `holds()`; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.05)


def listing(*, title: str = "Découpeuse laser", version: int = 1, scope: Any = "peers", **changes: Any) -> ListingState:
    """An offer of ours, with everything in it that must not leave."""
    base: dict[str, Any] = {
        "id": new_id(),
        "side": "offer",
        "kind": "machine",
        "title": title,
        "text": "Plaques de 60 x 90 cm.",
        "category": "fabrication",
        "language": "fr",
        "place": Place(label="12 rue des Arts, 59000 Lille", latitude=50.637219, longitude=3.063301),
        "quantity": 1,
        "unit": "machine",
        "owner_member_id": new_id(),
        "owner_circle_id": None,
        "owner_name": "Ana Petit",
        "audience": Audience(scope=scope),
        "valid_from": None,
        "valid_until": None,
        "window_start": None,
        "window_end": None,
        "urgency": "normal",
        "version": version,
        "changed_at": datetime.now(UTC),
    }
    return ListingState(**(base | changes))


def published(state: ListingState) -> ListingPublished:
    return ListingPublished(listing=state)

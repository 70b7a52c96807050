"""A catalog alone, on the session's servers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from contracts.acts import ActRecorded
from contracts.envelope import Event
from contracts.identity import CircleChanged, CircleState, MemberChanged, MemberState, Role
from contracts.registry import EVENTS
from services.catalog.app import build
from services.catalog.commands import people
from services.catalog.settings import CatalogSettings
from services.catalog.tables import outbox
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.process import Service
from tests.instances import Instance


class Person(BaseModel):
    """A member of the trial, known to catalog."""

    id: UUID
    name: str
    role: Role


class Catalog:
    """The service, the people who use it, and what it said."""

    def __init__(self, instance: Instance, service: Service, stack: AsyncExitStack) -> None:
        assert service.database is not None
        self.instance = instance
        self.service = service
        self.db: Database = service.database
        self._stack = stack
        self._versions: dict[UUID, int] = {}

    async def member(self, name: str = "Ana", *, role: Role = "member") -> Person:
        person = Person(id=new_id(), name=name, role=role)
        await self.tell_member(person)
        return person

    async def tell_member(self, person: Person, *, left: bool = False, version: int | None = None) -> None:
        """As identity would say it."""
        state = MemberState(
            id=person.id,
            name=person.name,
            role=person.role,
            status="left" if left else "active",
            locale="fr",
            version=version or self._next(person.id),
        )
        async with self.db.transaction() as session:
            await people.keep_member(session, MemberChanged(member=state).member)

    async def circle(self, *members: Person, name: str = "Atelier", circle_id: UUID | None = None) -> UUID:
        circle_id = circle_id or new_id()
        ids = [member.id for member in members]
        state = CircleState(
            id=circle_id, name=name, purpose="", member_ids=ids, status="active", version=self._next(circle_id)
        )
        async with self.db.transaction() as session:
            await people.keep_circle(session, CircleChanged(circle=state).circle)
        return circle_id

    async def client(self, person: Person | None = None, *, language: str = "fr") -> httpx.AsyncClient:
        token = None
        if person is not None:
            token = self.instance.token(member_id=person.id, name=person.name, role=person.role)
        client = await self._stack.enter_async_context(self.instance.client(self.service, token))
        client.headers["Accept-Language"] = language
        return client

    async def said(self) -> list[Event]:
        """Every event in the outbox (no relay runs), the oldest first; acts for the trail aside."""
        async with self.db.reading() as session:
            rows = (await session.execute(sa.select(outbox).order_by(outbox.c.id))).mappings().all()
        events = [EVENTS[row["type"]].model_validate_json(row["data"]) for row in rows]
        return [event for event in events if not isinstance(event, ActRecorded)]

    def _next(self, thing: UUID) -> int:
        self._versions[thing] = self._versions.get(thing, 0) + 1
        return self._versions[thing]


@pytest.fixture
async def catalog(instance: Instance) -> AsyncIterator[Catalog]:
    service = build(instance.settings(CatalogSettings))
    async with AsyncExitStack() as stack:
        yield Catalog(instance, service, stack)
    assert service.database is not None
    await service.database.close()


@pytest.fixture
async def hub(instance: Instance) -> AsyncIterator[Catalog]:
    """The catalog of a hub."""
    service = build(instance.settings(CatalogSettings, federation_hub=True))
    async with AsyncExitStack() as stack:
        yield Catalog(instance, service, stack)
    assert service.database is not None
    await service.database.close()


def listing(**changes: Any) -> dict[str, Any]:
    """A good form."""
    form = {"side": "offer", "kind": "machine", "title": "Découpeuse laser", "text": "60 × 40 cm, 80 W"}
    return form | changes


Make = Callable[..., dict[str, Any]]


@pytest.fixture
def form() -> Make:
    return listing

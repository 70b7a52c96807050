"""A matching alone, on the session's servers: told things as events, asked over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from contracts.catalog import Audience, ListingPublished, ListingState, ListingWithdrawn
from contracts.envelope import Envelope, Event
from contracts.identity import CircleChanged, CircleState, Place, Role
from contracts.matching import MatchesProposed
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.process import Service
from services.matching import meaning
from services.matching.app import build
from services.matching.commands import encoding, vocabulary
from services.matching.consumers import consumers
from services.matching.loops import Encoding, Proposing
from services.matching.settings import MatchingSettings
from services.matching.tables import outbox
from tests.instances import Instance

LILLE = Place(label="12 rue de la Clef, Lille", latitude=50.6372, longitude=3.0633)
NAMUR = Place(label="Namur", latitude=50.4674, longitude=4.8719)


class Matching:
    """The service, and those who tell and ask."""

    def __init__(self, instance: Instance, service: Service, stack: AsyncExitStack) -> None:
        assert service.database is not None
        self.instance = instance
        self.service = service
        self.db: Database = service.database
        self._stack = stack

    async def tell(self, event: Event, *, at: datetime | None = None) -> None:
        """The effect of an event, as its consumer has it, in one transaction."""
        subscription = consumers.get(event.type)
        envelope = Envelope(
            id=new_id(), source="test/other", type=event.type, time=at or datetime.now(UTC), subject="", data=b""
        )
        async with self.db.transaction() as session:
            await subscription.handler(event, session, *([envelope] if subscription.wants_envelope else []))

    async def listing(self, title: str, **changes: Any) -> ListingState:
        """Publish one of ours."""
        state = state_of(title, **changes)
        await self.publish(state)
        return state

    async def publish(self, state: ListingState) -> None:
        await self.tell(ListingPublished(listing=state))

    async def encode(self) -> None:
        """Make the vectors of all that waits, and of all that has one of another model."""
        loaded = meaning.load()
        if loaded is not None:
            await self.db.run(encoding.ask_for_outdated, loaded.version)
            await Encoding(self.db, seconds=1).encode_all()

    async def withdraw(self, state: ListingState) -> None:
        await self.tell(ListingWithdrawn(id=state.id, side=state.side, version=state.version + 1, reason="withdrawn"))

    async def circle(self, *member_ids: UUID) -> UUID:
        circle_id = new_id()
        state = CircleState(
            id=circle_id, name="Atelier", purpose="", member_ids=list(member_ids), status="active", version=1
        )
        await self.tell(CircleChanged(circle=state))
        return circle_id

    async def count_words(self) -> None:
        async with self.db.transaction() as session:
            await vocabulary.count(session)

    async def propose(self) -> list[MatchesProposed]:
        """Compare all that waits; what was said until now, the oldest first."""
        await Proposing(self.db, seconds=1, farthest_km=150).compare_all()
        async with self.db.reading() as session:
            said = sa.select(outbox).where(outbox.c.type == MatchesProposed.type).order_by(outbox.c.id)
            rows = (await session.execute(said)).mappings().all()
        return [MatchesProposed.model_validate_json(row["data"]) for row in rows]

    async def client(self, member_id: UUID | None = None, *, role: Role = "member") -> httpx.AsyncClient:
        token = self.instance.token(member_id=member_id, role=role) if member_id else None
        return await self._stack.enter_async_context(self.instance.client(self.service, token))

    async def titles(self, member_id: UUID | None = None, **query: Any) -> list[str]:
        """The titles that a search answers, in order."""
        answer = await (await self.client(member_id)).get("/search", params=query)
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]


def state_of(title: str, **changes: Any) -> ListingState:
    """A public machine offered in Lille, but for `changes`."""
    values: dict[str, Any] = {
        "id": new_id(),
        "side": "offer",
        "kind": "machine",
        "title": title,
        "text": "",
        "category": "",
        "language": "fr",
        "place": LILLE,
        "quantity": 1,
        "unit": "",
        "owner_member_id": new_id(),
        "owner_circle_id": None,
        "owner_name": "Ana",
        "audience": Audience(scope="public"),
        "valid_from": None,
        "valid_until": None,
        "window_start": None,
        "window_end": None,
        "urgency": "normal",
        "version": 1,
        "changed_at": datetime.now(UTC),
    }
    return ListingState.model_validate(values | changes)


@pytest.fixture
async def matching(instance: Instance) -> AsyncIterator[Matching]:
    service = build(instance.settings(MatchingSettings))
    async with AsyncExitStack() as stack:
        yield Matching(instance, service, stack)
    assert service.database is not None
    await service.database.close()

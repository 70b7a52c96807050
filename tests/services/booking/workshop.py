"""A cooperative with a laser cutter to share: what the tests of booking begin with."""

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa

from contracts.acts import ActRecorded
from contracts.catalog import Audience, ListingState
from contracts.envelope import Envelope, Event
from contracts.identity import MemberState, Place, Role
from contracts.registry import EVENTS
from services.booking.app import build
from services.booking.commands import copies
from services.booking.commands.telling import resources_to_tell, tell_busy
from services.booking.consumers import consumers_with
from services.booking.settings import BookingSettings
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.process import Service
from tests.instances import Instance

PARIS = ZoneInfo("Europe/Paris")
EVERY_DAY = [{"weekday": day, "opens": "08:00", "closes": "20:00"} for day in range(7)]
RULES: dict[str, Any] = {
    "time_zone": "Europe/Paris",
    "opening_hours": EVERY_DAY,
    "step_minutes": 30,
    "minimum_minutes": 30,
    "maximum_minutes": 480,
    "approval": "automatic",
}


TODAY = date.today()  # noqa: DTZ011 - the day that the test's machine lives in
"""The same for a whole run of tests: midnight comes between two lines of one, too."""


def at(hour: int, minute: int = 0, *, days: int = 3) -> datetime:
    """A wall time in Paris, `days` from today, as UTC."""
    return datetime.combine(TODAY + timedelta(days=days), time(hour, minute), PARIS).astimezone(UTC)


@dataclass
class Workshop:
    """Booking alone, with copies put in by hand instead of by the broker."""

    instance: Instance
    service: Service
    ana: UUID = field(default_factory=new_id)
    omar: UUID = field(default_factory=new_id)
    chloe: UUID = field(default_factory=new_id)
    laser: UUID = field(default_factory=new_id)
    versions: int = 0

    @property
    def db(self) -> Database:
        assert self.service.database is not None
        return self.service.database

    def client(self, member_id: UUID, *, role: Role = "member", name: str = "Ana") -> httpx.AsyncClient:
        return self.instance.client(self.service, self.instance.token(member_id=member_id, role=role, name=name))

    @property
    def as_ana(self) -> httpx.AsyncClient:
        return self.client(self.ana, name="Ana")

    @property
    def as_omar(self) -> httpx.AsyncClient:
        """The owner of the laser."""
        return self.client(self.omar, name="Omar")

    @property
    def as_chloe(self) -> httpx.AsyncClient:
        """A coordinator."""
        return self.client(self.chloe, role="coordinator", name="Chloé")

    async def publish(self, offer_id: UUID | None = None, **changes: Any) -> UUID:
        """Publish (or change) an offer of Omar's: the laser unless told otherwise."""
        self.versions += 1
        state: dict[str, Any] = {
            "id": offer_id or self.laser,
            "side": "offer",
            "kind": "machine",
            "title": "Découpe laser",
            "text": "",
            "category": "atelier",
            "language": "fr",
            "place": Place(label="12 rue des Arts, Lille", latitude=50.63, longitude=3.06),
            "quantity": 1,
            "unit": "machine",
            "owner_member_id": self.omar,
            "owner_circle_id": None,
            "owner_name": "Omar",
            "audience": Audience(scope="cooperative"),
            "valid_from": None,
            "valid_until": None,
            "window_start": None,
            "window_end": None,
            "urgency": "normal",
            "version": self.versions,
            "changed_at": datetime.now(UTC),
        }
        listing = ListingState(**(state | changes))
        async with self.db.transaction() as session:
            await copies.keep_offer(session, listing, now=datetime.now(UTC))
        return listing.id

    async def keep_members(self) -> None:
        people: list[tuple[UUID, str, Role]] = [
            (self.ana, "Ana", "member"),
            (self.omar, "Omar", "member"),
            (self.chloe, "Chloé", "coordinator"),
        ]
        for member_id, name, role in people:
            await self.keep_member(member_id, name, role)

    async def keep_member(self, member_id: UUID, name: str, role: Role = "member") -> None:
        member = MemberState(id=member_id, name=name, role=role, status="active", locale="fr", version=1)
        async with self.db.transaction() as session:
            await copies.keep_member(session, member, now=datetime.now(UTC))

    async def rules(self, offer_id: UUID | None = None, **changes: Any) -> dict[str, Any]:
        """Make the offer bookable under `RULES` with `changes`."""
        answer = await self.as_omar.put(f"/resources/{offer_id or self.laser}", json=RULES | changes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def book(
        self,
        client: httpx.AsyncClient,
        start: datetime,
        end: datetime,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        body = {"offer_id": str(self.laser), "start": start.isoformat(), "end": end.isoformat(), **more}
        return await client.post("/bookings", json=body, headers=headers)

    async def hear(self, event: Event, *, said_at: datetime | None = None) -> None:
        """Handle `event` as a consumer would. `said_at`: now unless told otherwise."""
        subscription = consumers_with(pending_per_peer=20, language="fr").get(event.type)
        time = said_at or datetime.now(UTC)
        envelope = Envelope(id=new_id(), source="t/other", type=event.type, time=time, subject="", data=b"")
        async with self.db.transaction() as session:
            await subscription.handler(event, session, *([envelope] if subscription.wants_envelope else []))

    async def said(self, *kinds: type[Event]) -> list[Any]:
        """Events in the outbox, in order, acts for the trail aside; only `kinds` when given. Forgets what it returns.

        Busy times that wait to be told are told first, as the loop of the service would.
        """
        await self.db.run(tell_busy, await self.db.run(resources_to_tell))
        async with self.db.transaction() as session:
            rows = (await session.execute(sa.text("DELETE FROM outbox RETURNING id, type, data"))).all()
        events = [EVENTS[row.type].model_validate(json.loads(row.data)) for row in sorted(rows)]
        return [one for one in events if (isinstance(one, kinds) if kinds else not isinstance(one, ActRecorded))]

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.db.transaction() as session:
            await session.execute(sa.text(statement), values)


@asynccontextmanager
async def opened(instance: Instance, **settings: Any) -> AsyncGenerator[Workshop]:
    """A workshop whose laser can be booked at once, every day from 8 to 20 h in Paris."""
    service = build(instance.settings(BookingSettings, **settings))
    workshop = Workshop(instance=instance, service=service)
    await workshop.keep_members()
    await workshop.publish()
    await workshop.rules()
    await workshop.said()
    yield workshop
    await workshop.db.close()


def types_of(events: Iterable[Event]) -> list[str]:
    return [event.type.removeprefix("booking.").removesuffix(".v1") for event in events]


def iso(when: datetime) -> str:
    """As the API writes instants."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"

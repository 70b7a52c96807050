"""A cooperative with one administrator, its identity service, a clock that the test moves, and its unsent events."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from contracts.acts import ActRecorded
from contracts.envelope import Event
from contracts.identity import MemberInvited
from contracts.registry import EVENTS
from services import provision
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.process import Service
from services.identity.administrator import Wanted, establish
from services.identity.app import build
from services.identity.domain.addresses import email_address
from services.identity.domain.cooperative import Profile
from services.identity.settings import IdentitySettings
from services.identity.tables import outbox
from tests.instances import Instance, plan, provision_quickly
from tests.servers import Servers

ADMINISTRATOR = "claire@opteos.example"
PASSWORD = "trois girafes sous la pluie"
PROFILE = Profile(
    name="Optéos",
    summary="Une coopérative d'activités.",
    locale="fr",
    time_zone="Europe/Paris",
    place_label="Lille",
    latitude=50.63,
    longitude=3.06,
    contact_email=None,
)


@dataclass
class Person:
    """A signed-in member at the API."""

    id: str
    email: str
    session: str
    http: httpx.AsyncClient


@dataclass
class Cooperative:
    service: Service
    db: Database
    visitor: httpx.AsyncClient
    settings: IdentitySettings
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])
    ahead: timedelta = timedelta()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def events(self, *kinds: type[Event]) -> list[Any]:
        """What waits in the outbox, in order; the trail of acts only when it is asked for."""
        async with self.db.reading() as session:
            rows = (await session.execute(sa.select(outbox).order_by(outbox.c.id))).all()
        read = [EVENTS[row.type].model_validate(json.loads(row.data)) for row in rows]
        return [one for one in read if (isinstance(one, kinds) if kinds else not isinstance(one, ActRecorded))]

    async def forget_events(self) -> None:
        async with self.db.transaction() as session:
            await session.execute(sa.delete(outbox))

    async def count(self, table: sa.Table) -> int:
        async with self.db.reading() as session:
            return (await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()

    async def sign_in(self, email: str, password: str = PASSWORD) -> Person:
        answer = await self.visitor.post("sessions", json={"email": email, "password": password})
        assert answer.status_code == 201, answer.text
        return await self.person(answer.json())

    async def person(self, signed_in: dict[str, Any]) -> Person:
        """A client with a token for a session that was just opened."""
        secret = signed_in["session"]
        token = (await self.visitor.post("tokens", headers={"Authorization": f"Session {secret}"})).json()["token"]
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.service.app),
            base_url=self.visitor.base_url,
            headers={"Authorization": f"Bearer {token}"},
        )
        self.clients.append(http)
        member = signed_in["member"]
        return Person(id=member["id"], email=member["email"], session=secret, http=http)

    async def invite(self, by: Person, email: str, role: str = "member") -> str:
        """Returns the token of the mailed link."""
        answer = await by.http.post("invitations", json={"email": email, "role": role})
        assert answer.status_code == 201, answer.text
        return (await self.events(MemberInvited))[-1].link.rpartition("/")[2]

    async def join(self, by: Person, name: str, role: str = "member") -> Person:
        """A new member, invited and joined."""
        token = await self.invite(by, f"{secrets.token_hex(4)}@opteos.example", role)
        form = {"token": token, "name": name, "password": PASSWORD, "locale": "fr"}
        answer = await self.visitor.post("invitations/accept", json=form)
        assert answer.status_code == 201, answer.text
        return await self.person(answer.json())


@pytest.fixture
async def instance(servers: Servers, tmp_path: Path) -> AsyncIterator[Instance]:
    """An instance of identity alone: it listens to nobody, so its tests need no other service's database."""
    name = f"t{secrets.token_hex(5)}"
    wanted = plan(servers, name, tmp_path / "secrets", subscriptions={"identity": []})
    await provision_quickly(wanted, servers)
    yield Instance(name=name, secrets_dir=wanted.secrets_dir, servers=servers)
    await provision.remove(wanted)


@pytest.fixture
async def cooperative(instance: Instance) -> AsyncIterator[Cooperative]:
    settings = instance.settings(IdentitySettings, public_url="https://opteos.example")
    service = build(settings)
    db = service.database
    assert db is not None
    wanted = Wanted(profile=PROFILE, address=email_address(ADMINISTRATOR), name="Claire Delattre", password=PASSWORD)
    hashed = await service.app.state.password_hashes.of(PASSWORD)
    async with db.transaction() as session:
        await establish(session, wanted, hashed, public_url=settings.public_url, now=datetime.now(UTC))
    made = Cooperative(service=service, db=db, visitor=instance.client(service), settings=settings)
    service.app.state.clock = Clock(lambda: made.now)
    yield made
    for client in [made.visitor, *made.clients]:
        await client.aclose()
    await db.close()


@pytest.fixture
async def claire(cooperative: Cooperative) -> Person:
    """The administrator, signed in."""
    return await cooperative.sign_in(ADMINISTRATOR)

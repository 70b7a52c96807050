"""An instance for one test: its own databases (copied from a migrated template), its own vhosts, its own secrets.

`instance`: the test builds services in its own process (`instance.settings(BookingSettings)`, `instance.running(…)`).
`make_cooperative`: real processes, as an ops person would run them (journeys, faults, browser).
"""

import asyncio
import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import pytest
from joserfc.jwk import OKPKey

from contracts.identity import Locale, Role
from deploy.local.instance import Addresses, LocalInstance
from services import provision, secrets_files
from services.chassis import auth
from services.chassis.ids import new_id
from services.chassis.management import BrokerRefused
from services.chassis.process import Service, running
from services.chassis.settings import ServiceSettings
from tests import slow_by_chance, witness
from tests.servers import Servers

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
TEMPLATE = "template"
MANY_CHANGES = {"MAILLAGE_CHANGES_AT_ONCE": "1000000"}
"""Load comes from few people who write as no person does; `tests/security/test_pace.py` holds the bound."""
_ONE_AT_A_TIME = 7_211_911


def addresses(servers: Servers) -> Addresses:
    """The session's servers as `deploy.local` knows them."""
    return Addresses(
        postgres_host=servers.postgres_host,
        postgres_port=servers.postgres_port,
        postgres_admin_user=servers.admin_user,
        postgres_admin_password=servers.admin_password,
        amqp_host=servers.amqp_host,
        amqp_port=servers.amqp_port,
        management_url=servers.management_url,
        broker_admin_user=servers.broker_admin_user,
        broker_admin_password=servers.broker_admin_password,
    )


def plan(servers: Servers, name: str, secrets_dir: Path, **changes: Any) -> provision.Plan:
    """What an instance called `name` has to be on the session's servers; makes its secrets."""
    secrets_files.make_missing(secrets_dir)
    where = addresses(servers)
    for file, value in (
        ("admin_database_url", where.admin_database_url),
        ("admin_broker_url", where.admin_broker_url),
    ):
        (secrets_dir / file).write_text(value, encoding="utf-8")
    return provision.Plan(
        instance=name,
        secrets_dir=secrets_dir,
        admin_database_url=where.admin_database_url,
        admin_broker_url=where.admin_broker_url,
        **changes,
    )


async def provision_quickly(wanted: provision.Plan, servers: Servers) -> None:
    """Provision by copying the session's template, which the first caller makes."""
    admin = await asyncpg.connect(wanted.admin_database_url)
    try:
        if not await _template_is_made(admin):
            await admin.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
            await _ensure_template(admin, servers)
    finally:
        await admin.close()
    await provision.provision_from_template(wanted, TEMPLATE)


async def _template_is_made(admin: asyncpg.Connection) -> bool:
    return await admin.fetchval("SELECT to_regclass('template_is_made')") is not None


async def _ensure_template(admin: asyncpg.Connection, servers: Servers) -> None:
    if await _template_is_made(admin):
        return
    with tempfile.TemporaryDirectory() as folder:
        await provision.provision(plan(servers, TEMPLATE, Path(folder) / "secrets"))
    await admin.execute("CREATE TABLE template_is_made ()")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An instance whose services run inside the test."""

    name: str
    secrets_dir: Path
    servers: Servers

    def settings(self, kind: type[SettingsT] = ServiceSettings, **changes: Any) -> SettingsT:
        """Settings of a service for this instance; `changes` by field name."""
        base: dict[str, Any] = {
            "instance": self.name,
            "secrets_dir": self.secrets_dir,
            "db_host": self.servers.postgres_host,
            "db_port": self.servers.postgres_port,
            "db_connect_seconds": 30,  # a machine that stood still for a moment is not what these tests are about
            "broker_host": self.servers.amqp_host,
            "broker_port": self.servers.amqp_port,
        }
        return kind(**(base | changes))

    def token(
        self, *, role: Role = "member", member_id: UUID | None = None, locale: Locale = "fr", name: str = "Ana"
    ) -> str:
        """A token as identity would issue it."""
        actor = auth.Actor(id=member_id or new_id(), name=name, role=role, locale=locale)
        return auth.issue(self.signing_key(), instance=self.name, actor=actor, now=time.time())

    def trust_tokens(self, service: Service) -> None:
        """Let `service` know identity's public key without asking identity for it."""
        key = self.signing_key()
        service.app.state.authenticator._keys[key.kid or ""] = key

    def client(self, service: Service, token: str | None = None) -> httpx.AsyncClient:
        """A client at the API of `service` (paths below `/api/<service>/`), signed in with `token`."""
        self.trust_tokens(service)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=service.app)
        return httpx.AsyncClient(transport=transport, base_url=f"http://test/api/{service.name}", headers=headers)

    @contextlib.asynccontextmanager
    async def running(self, *services: Service) -> AsyncGenerator[None]:
        """Run the loops of `services` (relay, consumers, timers) while the block runs."""
        async with running(list(services)):
            yield

    def signing_key(self) -> OKPKey:
        """Identity's, with which tokens are signed."""
        pem = (self.secrets_dir / "identity_signing_key.pem").read_text(encoding="utf-8")
        key = OKPKey.import_key(pem)
        return OKPKey.import_key({**key.as_dict(private=True), "kid": key.thumbprint()})


@pytest.fixture
async def instance(servers: Servers, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Instance]:
    """A provisioned instance of this test alone; below `tests/services/<name>/` it holds that one service."""
    name = f"t{secrets.token_hex(5)}"
    everything = provision.declared_subscriptions()
    tested = request.path.parent.name
    only = {tested: everything[tested]} if tested in everything else everything
    wanted = plan(servers, name, tmp_path / "secrets", subscriptions=only)
    await provision_quickly(wanted, servers)
    yield Instance(name=name, secrets_dir=wanted.secrets_dir, servers=servers)
    await provision.remove(wanted)


MakeCooperative = Callable[..., LocalInstance]


@contextlib.contextmanager
def cooperatives(servers: Servers, folder: Path) -> Generator[MakeCooperative]:
    """Gives `make(name, **settings)`: a provisioned instance as real processes, not yet started; ends them all.

    `where=` puts it on other servers than the session's (for tests that kill a server).
    """
    made: list[LocalInstance] = []

    def make(
        name: str, *, where: Addresses | None = None, border_port: int | None = None, **settings: str
    ) -> LocalInstance:
        local = LocalInstance(
            name=f"{name}-{secrets.token_hex(3)}",
            folder=folder / f"{name}-{len(made)}",
            addresses=where or addresses(servers),
            settings=MANY_CHANGES | slow_by_chance.environment() | settings,
            border_port=border_port,
        )
        made.append(local)
        witness.alive.append(local)
        local.prepare_secrets()
        asyncio.run(provision_quickly(local.plan, servers) if where is None else provision.provision(local.plan))
        return local

    try:
        yield make
    except TimeoutError as error:
        witness.testify(error, made)
        raise
    finally:
        for local in reversed(made):
            witness.alive.remove(local)
            local.stop()
            if os.environ.get("MAILLAGE_TEST_KEEP_LOGS"):
                print(local.log("all").read_text(encoding="utf-8", errors="replace")[-20_000:])
            with contextlib.suppress(OSError, asyncpg.PostgresError, BrokerRefused):  # its servers may have died
                asyncio.run(provision.remove(local.plan))


@pytest.fixture
def make_cooperative(servers: Servers, tmp_path: Path) -> Generator[MakeCooperative]:
    """Cooperatives of this test alone, see `cooperatives`."""
    with cooperatives(servers, tmp_path) as make:
        yield make

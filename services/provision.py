"""`python -m services provision`: databases, roles, tables, vhosts, users, exchanges, queues. Before services start.

Idempotent: run it again after every update, while services run. Tests build instances by `provision_from_template`.
"""

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_type_hints

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from services import provision_broker, provision_database
from services.chassis import names
from services.chassis.management import BrokerRefused, Management
from services.chassis.messaging import Consumers
from services.chassis.settings import MissingSetting, ServiceSettings, load
from services.provision_database import Rooms
from services.secrets_files import BROKER_AGENT

_SERVICES = Path(__file__).resolve().parent


def declared_subscriptions() -> dict[str, list[str]]:
    """Every service with the event types that its `consumers.py` listens to."""
    found: dict[str, list[str]] = {}
    for service in names.SERVICES:
        found[service] = []
        if importlib.util.find_spec(f"services.{service}.consumers") is not None:
            found[service] = _declared(importlib.import_module(f"services.{service}.consumers").consumers).subscriptions
    return found


def _declared(consumers: Consumers | Callable[[ServiceSettings], Consumers]) -> Consumers:
    """Where handlers need settings, `consumers` is a function of them; it listens to the same under any."""
    if isinstance(consumers, Consumers):
        return consumers
    (kind,) = (hint for name, hint in get_type_hints(consumers).items() if name != "return")
    return consumers(kind.model_construct())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to provision.

    `admin_database_url`: postgresql://…, a superuser. `admin_broker_url`: http://user:password@host:15672, an
    administrator. `subscriptions`: per service the event types it listens to (default: what its `consumers.py` says).
    `retry_delays`: seconds by delay queue; tests shorten them. `migrate`: whether the databases get their tables.
    """

    instance: str
    secrets_dir: Path
    admin_database_url: str
    admin_broker_url: str
    subscriptions: Mapping[str, Sequence[str]] = field(default_factory=declared_subscriptions)
    retry_delays: Mapping[str, float] = field(default_factory=lambda: dict(names.RETRY_DELAYS))
    migrate: bool = True

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "Plan":
        """Raises MissingSetting when a secret is missing."""
        return cls(
            instance=settings.instance,
            secrets_dir=settings.secrets_dir,
            admin_database_url=settings.secret("admin_database_url"),
            admin_broker_url=settings.secret("admin_broker_url"),
        )

    @property
    def rooms(self) -> list[Rooms]:
        return [Rooms(self.instance, service) for service in self.subscriptions]

    def secret(self, name: str) -> str:
        """Raises MissingSetting."""
        try:
            return (self.secrets_dir / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MissingSetting(f"{self.secrets_dir / name} cannot be read: run `secrets` first") from error

    def broker_passwords(self) -> dict[str, str]:
        found = {service: self.secret(f"broker_{service}") for service in self.subscriptions}
        return found | {names.BROKER_AGENT: self.secret(f"broker_{BROKER_AGENT}")}


async def provision(plan: Plan) -> None:
    """Bring databases and broker to what the code needs. Raises BrokerRefused, asyncpg.PostgresError, OSError."""
    await _both(_databases(plan), _broker(plan))


async def provision_from_template(plan: Plan, template: str) -> None:
    """The same for a new instance, its databases copied from the instance `template`, which nobody may be using."""
    await _both(_databases(plan, template=template), _broker(plan))


async def _both(databases: Coroutine[None, None, None], broker: Coroutine[None, None, None]) -> None:
    """Let both end before either's error is raised: a queue whose making was cut off answers nobody, ever."""
    outcomes = await asyncio.gather(databases, broker, return_exceptions=True)
    if error := next((outcome for outcome in outcomes if outcome is not None), None):
        raise error


async def remove(plan: Plan) -> None:
    """Delete an instance: its databases, roles, vhosts and users."""
    admin = await asyncpg.connect(plan.admin_database_url)
    try:
        await provision_database.remove(admin, plan.instance, list(plan.subscriptions))
    finally:
        await admin.close()
    async with Management(plan.admin_broker_url) as management:
        await provision_broker.remove(management, plan.instance)


async def _broker(plan: Plan) -> None:
    async with Management(plan.admin_broker_url) as management:
        await provision_broker.apply(
            management, plan.instance, plan.subscriptions, plan.broker_passwords(), plan.retry_delays
        )


async def _databases(plan: Plan, template: str | None = None) -> None:
    admin = await asyncpg.connect(plan.admin_database_url)
    try:
        for rooms in plan.rooms:
            await provision_database.make_role(admin, rooms.owner, plan.secret(f"db_{rooms.service}_owner"))
            await provision_database.make_role(admin, rooms.runtime, plan.secret(f"db_{rooms.service}"))
            for guest in rooms.guests:
                await provision_database.make_role(admin, guest, plan.secret(f"db_{BROKER_AGENT}"))
    finally:
        await admin.close()
    alembic = asyncio.Lock()
    await asyncio.gather(*(_database(plan, rooms, alembic, template) for rooms in plan.rooms))


async def _database(plan: Plan, rooms: Rooms, alembic: asyncio.Lock, template: str | None) -> None:
    source = Rooms(template, rooms.service) if template else None
    admin = await asyncpg.connect(plan.admin_database_url)
    try:
        copied = await provision_database.make_database(admin, rooms, template=source.database if source else None)
    finally:
        await admin.close()
    await provision_database.restrict(plan.admin_database_url, rooms)
    if source and copied:
        await provision_database.take_over(plan.admin_database_url, rooms, source)
    elif plan.migrate and (_SERVICES / rooms.service / "migrations" / "env.py").is_file():
        async with alembic:  # its context is one per process
            owner_password = plan.secret(f"db_{rooms.service}_owner")
            await provision_database.migrate(plan.admin_database_url, rooms, owner_password)


def main(_arguments: list[str]) -> None:
    """Command line: provision the instance of the environment."""
    plan = Plan.from_settings(load(ServiceSettings))
    try:
        asyncio.run(provision(plan))
    except BrokerRefused as error:
        sys.exit(f"broker: {error}")
    except DBAPIError as error:
        sys.exit(f"migration: {error.orig} ({(error.statement or 'connecting').strip().splitlines()[0]} …)")
    except (OSError, asyncpg.PostgresError) as error:
        where = make_url(plan.admin_database_url).render_as_string(hide_password=True)
        sys.exit(f"database {where}: {error}")
    print(f"{plan.instance} is provisioned")  # noqa: T201 - a command's answer

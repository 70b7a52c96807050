"""Puts a service together in the one way that all of them are made: database, relay, consumers, tokens, readiness."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Depends, Request
from prometheus_client import Counter

from services.chassis import dead_letters, schema_version
from services.chassis.auth import Authenticator
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.http import Check, create_app
from services.chassis.messaging import Consumers, Consuming, consuming
from services.chassis.pace import Pace
from services.chassis.problems import NothingOfItsOwn, TooManyEventsWait
from services.chassis.process import Runs, Service
from services.chassis.protection import API_HEADERS, Protected
from services.chassis.relay import Relay, outbox_relay
from services.chassis.settings import ServiceSettings

READING = {"GET", "HEAD"}
REFUSED = Counter("maillage_refused_for_backlog", "Requests refused because too many events wait.", ["relay"])


def assemble(
    name: str,
    settings: ServiceSettings,
    *,
    routers: Sequence[APIRouter] = (),
    consumers: Consumers | None = None,
    loops: Callable[[Database], Sequence[Runs]] = lambda _: (),
    paths: Sequence[str] = (),
    only_shows: bool = False,
) -> Service:
    """The service `name`, not yet running.

    `routers`: mounted under `/api/<name>`. `consumers`: what it listens to. `loops`: given the database, further things
    that run until cancelled (timers, sweepers). `paths`: URL prefixes beside `/api/<name>`; their routes are added by
    the caller. `only_shows`: what would change something is refused, as at a hub, which has nothing of its own.
    Endpoints find `database`, `settings`, `clock`, `pace` and `authenticator` on `app.state`.
    """
    database = _database(name, settings)
    relay = outbox_relay(name, settings, database)
    listening = consuming(consumers, settings, database) if consumers is not None else None
    checks = {"database": database.ping, "migrations": _migrated(name, database)}
    app = create_app(name, checks={**checks, "broker": _broker_check(relay, listening)})
    app.add_middleware(Protected, public_url=settings.public_url, headers=API_HEADERS)
    room = Depends(_room_in(relay, settings.outbox_limit))
    for router in routers:
        app.include_router(router, prefix=f"/api/{name}", dependencies=[Depends(_shown)] * only_shows + [room])
    app.include_router(dead_letters.router, prefix=f"/api/{name}", dependencies=[room])
    app.state.database = database
    app.state.settings = settings
    app.state.clock = Clock()
    app.state.pace = _pace(name, settings, database)
    app.state.authenticator = Authenticator(instance=settings.instance, identity_url=settings.url_of("identity"))
    running: list[Runs] = [relay, *([listening] if listening else []), *loops(database)]
    return Service(name=name, app=app, paths=(f"/api/{name}", *paths), database=database, loops=running)


def _database(name: str, settings: ServiceSettings) -> Database:
    return Database(
        settings.database_url(name),
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        connect_seconds=settings.db_connect_seconds,
        name=f"maillage {name}",
        plan_cache_mode=settings.plan_cache_mode,
    )


def _pace(name: str, settings: ServiceSettings, database: Database) -> Pace:
    return Pace(database, service=name, at_once=settings.changes_at_once, per_minute=settings.changes_per_minute)


def _migrated(name: str, database: Database) -> Check:
    expected = schema_version.newest(name)

    async def check() -> str | None:
        async with database.reading() as session:
            found = await schema_version.current(session)
        if found == expected:
            return None
        return f"the database is at {found or 'nothing'}, the code wants {expected}: run provision"

    return check


def _broker_check(relay: Relay, listening: Consuming | None) -> Check:
    async def check() -> str | None:
        if listening is not None and not listening.connected:
            return "not connected to RabbitMQ"
        return f"events wait: {relay.trouble}" if relay.trouble else None

    return check


async def _shown(request: Request) -> None:
    """Raises NothingOfItsOwn."""
    if request.method not in READING:
        raise NothingOfItsOwn


def _room_in(relay: Relay, limit: int) -> Callable[[Request], Awaitable[None]]:
    """What changes something is refused while more than `limit` events wait: the broker takes none, or too slowly."""

    async def check(request: Request) -> None:
        if request.method not in READING and relay.backlog >= limit:
            REFUSED.labels(relay.name).inc()
            raise TooManyEventsWait

    return check

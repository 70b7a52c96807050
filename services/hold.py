"""`python -m services hold`: no event leaves any service while a backup is made, so that all databases tell one story.

Holds the relays of all services, waits until what was sent has had its effect, prints `held` and keeps holding until
its input ends. People write on meanwhile: what they cause waits in the outboxes, in the backup and after it.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from typing import TextIO

import asyncpg

from services import provision_database
from services.chassis import names
from services.chassis.management import BrokerRefused, Management
from services.chassis.relay import HOLD
from services.chassis.settings import ServiceSettings, load
from services.provision_database import Rooms

QUIET_SECONDS = 6.0
"""The broker counts its messages every five seconds."""

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 1.0


async def hold(settings: ServiceSettings, *, patience: float = PATIENCE_SECONDS) -> None:
    """Hold until standard input ends. `patience`: how many seconds queues may take to become empty.

    Raises BrokerRefused, asyncpg.PostgresError, OSError; SystemExit when a database was lost while it was held.
    """
    async with AsyncExitStack() as stack:
        admin_url = settings.secret("admin_database_url")
        held = [await _held(stack, admin_url, Rooms(settings.instance, service)) for service in names.SERVICES]
        management = await stack.enter_async_context(Management(settings.secret("admin_broker_url")))
        for queue, count in (await _until_quiet(management, names.vhost(settings.instance), patience)).items():
            _tell(f"{count} messages wait in {queue}: they are not in this backup", file=sys.stderr)
        _tell("held")
        await asyncio.to_thread(sys.stdin.read)
        for connection in held:
            try:
                await connection.fetchval("SELECT 1", timeout=10)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                raise SystemExit(f"a database was lost meanwhile, make the backup again: {error}") from error


async def _held(stack: AsyncExitStack, admin_url: str, rooms: Rooms) -> asyncpg.Connection:
    """A connection to a service's database that holds its relays. Waits for the batch that is being sent."""
    connection = await asyncpg.connect(provision_database.in_database(admin_url, rooms.database))
    stack.push_async_callback(connection.close)
    await connection.execute("SELECT pg_advisory_lock($1)", HOLD)
    return connection


async def _until_quiet(management: Management, vhost: str, patience: float) -> dict[str, int]:
    """Return once no queue has had a message for some seconds, or what still waits when patience has ended.

    Letters that were set aside are not waited for: only a coordinator ends them.
    """
    deadline, quiet_since = time.monotonic() + patience, time.monotonic()
    while True:
        waiting = await _waiting(management, vhost)
        on_their_way = {queue for queue in waiting if not queue.endswith(".dead") and queue != names.UNROUTED}
        now = time.monotonic()
        quiet_since = now if on_their_way else quiet_since
        if now >= deadline or now - quiet_since > QUIET_SECONDS:
            return waiting
        await asyncio.sleep(LOOK_SECONDS)


async def _waiting(management: Management, vhost: str) -> dict[str, int]:
    queues = await management.call("GET", "queues", vhost) or []
    counted = {str(queue["name"]): int(queue.get("messages", 0)) for queue in queues}
    return {name: count for name, count in counted.items() if count}


def _tell(line: str, *, file: TextIO = sys.stdout) -> None:
    print(line, file=file, flush=True)


def main(arguments: list[str]) -> None:
    """Command line."""
    if arguments:
        sys.exit("usage: python -m services hold")
    try:
        asyncio.run(hold(load(ServiceSettings)))
    except BrokerRefused as error:
        sys.exit(f"broker: {error}")
    except (OSError, asyncpg.PostgresError) as error:
        sys.exit(f"database: {error}")

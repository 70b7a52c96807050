"""`python -m services restored`: the databases come from a backup. Before services start; does what `provision` does.

Messages that the broker still has are of a time that the databases have forgotten: its part is made anew, empty.
Nothing is confirmed on what peers may book until they have handed back what was confirmed since the backup, and every
link begins a new epoch.
"""

import asyncio
import sys
from datetime import UTC, datetime

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from contracts.federation import RecoveryChanged
from services import provision, provision_broker
from services.booking.commands.recovering import hold_or_go_on
from services.chassis import logs
from services.chassis.database import Database
from services.chassis.management import BrokerRefused, Management
from services.chassis.settings import ServiceSettings, load
from services.federation import recovery
from services.provision import Plan

BY = "restored"


async def begin_again(settings: ServiceSettings, plan: Plan, *, now: datetime) -> None:
    """Empty the broker's part, provision, begin the recovery. `now`: aware UTC.

    Raises BrokerRefused, SQLAlchemyError, asyncpg.PostgresError, OSError.
    """
    async with Management(plan.admin_broker_url) as management:
        await provision_broker.remove(management, plan.instance)
    await provision.provision(plan)
    booking, federation = (Database(settings.database_url(service)) for service in ("booking", "federation"))
    try:
        # the event that says the same comes through the broker, and guests may be at booking's door before it
        early = RecoveryChanged(recovering=True, since=now, version=int(now.timestamp() * 1000) - 1)
        await booking.run(hold_or_go_on, early)
        await federation.run(recovery.begin, by=BY, now=now, anew=True)
    finally:
        for database in (booking, federation):
            await database.close()


def main(arguments: list[str]) -> None:
    """Command line."""
    if arguments:
        sys.exit("usage: python -m services restored")
    settings = load(ServiceSettings)
    try:
        asyncio.run(begin_again(settings, Plan.from_settings(settings), now=datetime.now(UTC)))
    except BrokerRefused as error:
        sys.exit(f"broker: {error}")
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        sys.exit(f"database: {logs.line_of(error)}")
    print(f"{settings.instance} begins anew with its peers")  # noqa: T201 - a command's answer

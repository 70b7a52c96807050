"""The people of the hammer: as many members as are wanted, spread over replicas of booking."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from services.booking.app import build
from services.booking.settings import BookingSettings
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.ids import new_id
from tests.hammer.here import Hammer, Report
from tests.instances import Instance
from tests.services.booking.workshop import Workshop, opened

POOLS = {"db_pool_size": 16, "db_max_overflow": 0, "changes_at_once": 1_000_000}
FRESH_ROUNDS = 12
"""After so many the tokens are made anew: they are good for five minutes."""


@dataclass
class Crowd:
    """`clients`: one for each member; `owners`: the owner, one for each replica."""

    workshop: Workshop
    clients: list[httpx.AsyncClient]
    owners: list[httpx.AsyncClient]
    members: list[UUID]

    def renew(self) -> None:
        """Give everybody a fresh token."""
        for number, (client, member_id) in enumerate(zip(self.clients, self.members, strict=True)):
            self._sign_in(client, member_id, f"Membre {number}")
        for owner in self.owners:
            self._sign_in(owner, self.workshop.omar, "Omar")

    def _sign_in(self, client: httpx.AsyncClient, member_id: UUID, name: str) -> None:
        token = self.workshop.instance.token(member_id=member_id, name=name)
        client.headers["Authorization"] = f"Bearer {token}"

    async def hammer(self, rounds: int, *, capacity: int, buffer_minutes: int = 0, seed: int = 7) -> Report:
        """`rounds` rounds on the laser."""
        eyes = Database(self.workshop.db.url, pool_size=len(self.clients), name="hammer")
        buffer = timedelta(minutes=buffer_minutes)
        hammer = Hammer(self.workshop, eyes, self.clients, self.owners, capacity, buffer=buffer, seed=seed)
        try:
            for done in range(0, rounds, FRESH_ROUNDS):
                self.renew()
                await hammer.run(min(FRESH_ROUNDS, rounds - done))
        finally:
            await eyes.close()
        return hammer.report


def ahead(by: timedelta) -> Clock:
    """A clock that is wrong by so much."""
    return Clock(lambda: datetime.now(UTC) + by)


@asynccontextmanager
async def gathered(instance: Instance, *, members: int, replicas: int) -> AsyncGenerator[Crowd]:
    """The workshop, and `members` people who reach it through `replicas` replicas, each with a pool of its own.

    The clock of each replica is a minute ahead of the one before.
    """
    async with opened(instance, **POOLS) as workshop, AsyncExitStack() as stack:
        services = [workshop.service]
        for _ in range(replicas - 1):
            replica = build(instance.settings(BookingSettings, **POOLS))
            assert replica.database is not None
            replica.app.state.clock = ahead(len(services) * timedelta(minutes=1))
            stack.push_async_callback(replica.database.close)
            services.append(replica)
        clients = [
            await stack.enter_async_context(instance.client(services[number % replicas])) for number in range(members)
        ]
        owners = [await stack.enter_async_context(instance.client(service)) for service in services]
        crowd = Crowd(workshop, clients, owners, [new_id() for _ in clients])
        for number, member_id in enumerate(crowd.members):
            await workshop.keep_member(member_id, f"Membre {number}")
        crowd.renew()
        yield crowd

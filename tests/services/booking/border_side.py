"""One cooperative of the model: its real booking service, a clock that can be moved, and what it says at the border.

The database reads the time through functions of the test's own, which stand before those of PostgreSQL in its search
path: rules in Python, statements and functions of the database all see the same moved clock.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from contracts.booking import BookingEvent, ResourceChanged
from contracts.catalog import Audience
from contracts.envelope import Event
from contracts.federation import LinkChanged, LinkState, ResourceReceived
from contracts.registry import EVENTS
from services import provision_database
from services.booking.app import build
from services.booking.loops import Sweeper
from services.booking.settings import BookingSettings
from services.chassis import names
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.federation.shareable import shared_resource
from services.federation.translation import inside, outside
from tests.instances import Instance, addresses
from tests.services.booking.test_asking_peers import oven
from tests.services.booking.workshop import Workshop

_MOVABLE_CLOCK = """
CREATE SCHEMA moved;
CREATE TABLE moved.by (seconds double precision NOT NULL);
INSERT INTO moved.by VALUES (0);
CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM moved.by)) $$;
CREATE FUNCTION moved.now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT pg_catalog.now() + make_interval(secs => (SELECT seconds FROM moved.by)) $$;
GRANT USAGE ON SCHEMA moved TO PUBLIC;
GRANT SELECT, UPDATE ON moved.by TO PUBLIC;
"""
_SAID = sa.text("DELETE FROM outbox RETURNING id, type, data")
_EMPTY = (
    "outbox",
    "history",
    "uses",
    "changes",
    "changes_abroad",
    "withdrawals",
    "busy_to_tell",
    "bookings",
    "links",
    "paces",
)
STATE = "SELECT * FROM bookings ORDER BY id"
CHANGES = "SELECT booking_id, starts_at, ends_at, quantity FROM changes WHERE decide_by > moved.clock_timestamp()"
WISHES = "SELECT booking_id, starts_at, ends_at, quantity FROM changes_abroad"


@dataclass
class Side:
    """`peer`: how the other calls it. `moved`: by how much its clock is ahead of the machine's."""

    workshop: Workshop
    peer: str
    moved: timedelta = timedelta(0)
    link_versions: int = 0
    linked: bool = False
    _link: UUID = field(default_factory=new_id)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    async def move_clock(self, by: timedelta) -> None:
        """Set how far it is ahead of the machine's."""
        self.moved = by
        await self.workshop.sql("UPDATE moved.by SET seconds = :by", by=by.total_seconds())

    async def link(self, other: "Side", status: Any) -> None:
        """Federation says how the link with `other` stands."""
        self.link_versions += 1
        self.linked = status == "active"
        state = LinkState(
            link_id=self._link,
            peer_id=other.peer,
            peer_name=other.peer,
            peer_web="https://x.example",
            status=status,
            version=self.link_versions,
        )
        await self.workshop.hear(LinkChanged(link=state))

    async def say(self) -> list[Event]:
        """What crosses of all that was said since; as federation translates it. Busy times are not told here."""
        async with self.workshop.db.transaction() as session:
            rows = (await session.execute(_SAID)).all()
        said: Sequence[Event] = [EVENTS[row.type].model_validate(json.loads(row.data)) for row in sorted(rows)]
        crossing = [outside(event, "p-ana") for event in said if isinstance(event, BookingEvent) and _crosses(event)]
        return [event for event in crossing if event is not None]

    async def share_laser(self, other: "Side", **rules: Any) -> None:
        """A laser that did not exist before, which `other` hears of."""
        shop = self.workshop
        shop.laser = new_id()
        await shop.publish(audience=Audience(scope="peers"))
        await shop.rules(**rules)
        (changed,) = await shop.said(ResourceChanged)
        from_us: dict[str, Any] = {"origin": self.peer, "origin_name": self.peer, "epoch": 1}
        await other.workshop.hear(ResourceReceived(**from_us, resource=shared_resource(changed.resource)))
        await other.workshop.hear(oven(shop.laser).model_copy(update=from_us))

    async def hear(self, event: Event, other: "Side") -> None:
        """What `other` has said at the border, as federation passes it on."""
        await self.workshop.hear(inside(event, origin=other.peer, origin_name=other.peer, epoch=1))

    async def sweep(self) -> None:
        """Let happen what is due by its clock."""
        await Sweeper(self.workshop.db, seconds=1).sweep()

    async def rows(self, statement: str = STATE) -> dict[UUID, Any]:
        """Rows by the first column."""
        async with self.workshop.db.reading() as session:
            return {row[0]: row for row in await session.execute(sa.text(statement))}

    async def value(self, statement: str) -> Any:
        async with self.workshop.db.reading() as session:
            return (await session.execute(sa.text(statement))).scalar_one()

    async def forget(self) -> None:
        """As new, with the same people and the same laser."""
        for table in _EMPTY:
            await self.workshop.sql(f"DELETE FROM {table}")  # noqa: S608 - names of this file
        self.linked, self._link = False, new_id()


def _crosses(event: BookingEvent) -> bool:
    return event.booking.resource_origin is not None or event.booking.borrower.peer_id is not None


async def opened_side(instance: Instance, peer: str) -> Side:
    """A cooperative whose clock can be moved."""
    admin = addresses(instance.servers).admin_database_url
    database = names.database(instance.name, "booking")
    connection = await asyncpg.connect(provision_database.in_database(admin, database))
    await connection.execute(_MOVABLE_CLOCK)
    await connection.execute(f'ALTER DATABASE "{database}" SET search_path = moved, pg_catalog, public')
    await connection.close()
    service = build(instance.settings(BookingSettings))
    side = Side(Workshop(instance=instance, service=service), peer)
    service.app.state.clock = Clock(side.now)
    await side.workshop.keep_members()
    return side

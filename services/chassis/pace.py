"""How much one member may change in a short time, counted together by all replicas of a service.

What somebody changes is paid for from an allowance that fills up again (a leaky bucket, kept as one instant: until when
all is paid for). A replica takes it in lots, so that most requests cost no statement; what it has taken and not used is
not given back. Counted where tokens are read (`auth`): no route can forget it.
Source: OWASP ASVS 5.0, V2.4.1; the generic cell rate algorithm (ITU-T I.371).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter

from services.chassis.database import Database
from services.chassis.durations import duration
from services.chassis.problems import Problem, Text

LOT = 10
_REMEMBERED = 10_000

HELD_UP = Counter("maillage_changes_held_up_total", "Requests refused because a member changes too much.", ["service"])

# a clock that was set back locks nobody out: nobody can have paid for more than there is
_TAKE = sa.text(
    "INSERT INTO paces AS kept (member_id, paid_until) VALUES (:member_id, clock_timestamp() + :cost)"
    " ON CONFLICT (member_id) DO UPDATE SET paid_until ="
    " greatest(least(kept.paid_until, clock_timestamp() + :most), clock_timestamp()) + :cost"
    " WHERE greatest(kept.paid_until, clock_timestamp()) + :cost <= clock_timestamp() + :most"
    " OR kept.paid_until > clock_timestamp() + :most + :cost RETURNING TRUE"
).bindparams(sa.bindparam("cost", type_=sa.Interval), sa.bindparam("most", type_=sa.Interval))
_WAIT = sa.text(
    "SELECT paid_until + :cost - :most - clock_timestamp() FROM paces WHERE member_id = :member_id"
).bindparams(sa.bindparam("cost", type_=sa.Interval), sa.bindparam("most", type_=sa.Interval))


class TooManyChanges(Problem):
    """A member changes more than people do; `retry_after_seconds` says when it goes on. Nothing was changed."""

    status = 429
    slug = "too-many-changes"
    text = Text(
        fr="Cela fait beaucoup de changements en peu de temps. Rien n'a été enregistré : réessayez dans {time}.",
        en="These are many changes in a short time. Nothing was saved: try again in {time}.",
        nl="Dit zijn veel wijzigingen in korte tijd. Er is niets opgeslagen: probeer het over {time} opnieuw.",
    )

    def words(self) -> dict[str, Any]:
        return self.values | {"time": duration(-(-self.values["retry_after_seconds"] // 60))}


def pace_table(metadata: sa.MetaData) -> sa.Table:
    """The table that a service keeps allowances in. Unlogged: a crash of the server forgives, and no write waits."""
    return sa.Table(
        "paces",
        metadata,
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("paid_until", sa.DateTime(timezone=True), nullable=False),
        prefixes=["UNLOGGED"],
    )


@dataclass
class _Lot:
    left: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pace:
    """The allowances of one service, as one of its replicas sees them.

    `at_once`: how many changes a member may make one after the other, `per_minute`: how many in the long run.
    """

    def __init__(self, database: Database, *, service: str, at_once: int, per_minute: int) -> None:
        self._database = database
        self._service = service
        each = timedelta(minutes=1) / per_minute
        self._size = min(LOT, at_once)
        self._costs = {"cost": each * self._size, "most": each * at_once}
        self._lots: OrderedDict[UUID, _Lot] = OrderedDict()

    async def take(self, member_id: UUID) -> None:
        """Pay for one change. Raises TooManyChanges; that one is not counted."""
        lot = self._lots.setdefault(member_id, _Lot())
        self._lots.move_to_end(member_id)
        if len(self._lots) > _REMEMBERED:
            self._lots.popitem(last=False)
        async with lot.lock:
            if lot.left == 0:
                lot.left = await self._take_lot(member_id)
            lot.left -= 1

    async def _take_lot(self, member_id: UUID) -> int:
        given = {"member_id": member_id, **self._costs}
        async with self._database.autocommit() as session:
            if (await session.execute(_TAKE, given)).scalar() is not None:
                return self._size
            wait: timedelta = (await session.execute(_WAIT, given)).scalar_one()
        HELD_UP.labels(self._service).inc()
        raise TooManyChanges(retry_after_seconds=max(1, int(wait.total_seconds()) + 1))

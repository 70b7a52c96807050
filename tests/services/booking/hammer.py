"""Many people at one resource, round after round; then an independent count over all instants.

Rounds come in pairs. In the first, everybody books or holds: what is taken only grows, so that whoever was refused
must still find it full at the end. In the second, everybody cancels, moves or lets a hold expire: then only the
excess counts.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa

from tests.services.booking.workshop import Workshop, at

# Independent of the functions and constraints of the database, and of the rules: at every instant at which something
# begins, everything that contains it is added up. A change that waits counts where it is more than its booking.
EXCESS = """
WITH taken AS (
    SELECT b.id, b.offer_id, lower(b.occupied) AS begins, upper(b.occupied) AS ends, b.quantity
    FROM bookings b WHERE b.resource_origin IS NULL
      AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
    UNION ALL
    SELECT c.booking_id, c.offer_id, lower(c.occupied), upper(c.occupied), c.quantity FROM changes c
), instants AS (SELECT DISTINCT offer_id, begins AS instant FROM taken),
each_one AS (
    SELECT i.offer_id, i.instant, t.id, max(t.quantity) AS quantity
    FROM instants i JOIN taken t ON t.offer_id = i.offer_id AND t.begins <= i.instant AND i.instant < t.ends
    GROUP BY 1, 2, 3
)
SELECT count(*) FROM (
    SELECT e.offer_id, e.instant FROM each_one e JOIN resources r ON r.offer_id = e.offer_id
    GROUP BY e.offer_id, e.instant, r.capacity HAVING sum(e.quantity) > r.capacity
) AS excess
"""
PEAK = """
SELECT coalesce(max(level), 0) FROM (
    SELECT (SELECT sum(t.quantity) FROM bookings t WHERE t.offer_id = :offer AND t.resource_origin IS NULL
              AND (t.status IN ('pending', 'confirmed') OR (t.status = 'held' AND t.decide_by > now()))
              AND lower(t.occupied) <= i.instant
              AND i.instant < upper(t.occupied)) AS level
    FROM (SELECT CAST(:start AS timestamptz) AS instant UNION SELECT lower(occupied) FROM bookings
          WHERE offer_id = :offer AND lower(occupied) >= :start AND lower(occupied) < :end) AS i
) AS levels
"""


@dataclass
class Report:
    """What happened. `excess`, `refused_in_vain`: must be zero."""

    rounds: int = 0
    answers: Counter[str] = field(default_factory=Counter[str])
    excess: int = 0
    refused_in_vain: int = 0

    def lines(self) -> list[str]:
        """For people."""
        counted = ", ".join(f"{what} {count}" for what, count in sorted(self.answers.items()))
        return [
            f"{self.rounds} rounds: {counted}",
            f"instants with more than the capacity: {self.excess}; refused although free: {self.refused_in_vain}",
        ]


@dataclass
class Hammer:
    """`clients`: one for each member, over as many replicas as they were made for."""

    workshop: Workshop
    clients: Sequence[httpx.AsyncClient]
    capacity: int
    buffer: timedelta = timedelta(0)
    seed: int = 7
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._mine: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(self.clients))}

    async def run(self, rounds: int) -> Report:
        """`rounds` rounds; each ends before the next begins."""
        for number in range(rounds):
            act = self._grow if number % 2 == 0 else self._change
            await asyncio.gather(*(act(member) for member in range(len(self.clients))))
            self.report.rounds += 1
            self.report.excess += await self._count(EXCESS)
        return self.report

    async def _grow(self, member: int) -> None:
        start, end = self._wish()
        body = {"offer_id": str(self.workshop.laser), "start": start.isoformat(), "end": end.isoformat()}
        body |= {"quantity": self._chance.randint(1, self.capacity)}
        if any(one["status"] == "held" for one in self._mine[member]):
            return  # whatever they took next would give back what they hold
        what = "holds" if self._chance.random() < 0.2 else "bookings"
        answer = await self.clients[member].post(f"/{what}", json=body)
        self._note(what, answer)
        if answer.status_code == 201:
            self._mine[member].append(answer.json())
        elif answer.json()["type"].endswith("resource-is-taken"):
            await self._check_refused(start, end, int(body["quantity"]))

    async def _check_refused(self, start: datetime, end: datetime, quantity: int) -> None:
        """Within a growing round what is free now was free before."""
        peak = await self._count(PEAK, offer=self.workshop.laser, start=start, end=end + self.buffer)
        self.report.refused_in_vain += peak + quantity <= self.capacity

    async def _change(self, member: int) -> None:
        if not self._mine[member]:
            return
        one = self._mine[member].pop(self._chance.randrange(len(self._mine[member])))
        client, path = self.clients[member], f"/bookings/{one['id']}"
        if one["status"] == "held":
            late = "UPDATE bookings SET decide_by = now() - interval '1 second' WHERE id = :id"
            await self.workshop.sql(late, id=one["id"])
        elif self._chance.random() < 0.5:
            self._note("cancel", await client.post(f"{path}/cancel", json={}))
        else:
            start, end = self._wish()
            wish = {"start": start.isoformat(), "end": end.isoformat()}
            answer = await client.put(
                f"{path}/change", json=wish | {"quantity": self._chance.randint(1, self.capacity)}
            )
            self._note("change", answer)
            self._mine[member].append(one)

    def _wish(self) -> tuple[datetime, datetime]:
        start = at(8, days=3) + timedelta(minutes=30 * self._chance.randrange(20))
        return start, start + timedelta(minutes=30 * self._chance.randrange(1, 5))

    def _note(self, what: str, answer: httpx.Response) -> None:
        name = f"{what} {answer.status_code}"
        if answer.status_code >= 400:
            name += f" {answer.json().get('type', '').rpartition('/')[2]}"
        self.report.answers[name] += 1

    async def _count(self, statement: str, **values: object) -> int:
        async with self.workshop.db.reading() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one()

"""Many people at one resource, round after round; then an independent count over all instants.

Rounds come in pairs. In the first, everybody books, holds or books a series: what is taken only grows, so that whoever
was refused must still find it full at the end. In the second, everybody cancels, moves, decides, or lets a hold or a
request expire: then only the excess counts. Every second pair asks for the owner's approval.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa

from services.chassis.database import Database
from tests.hammer.sweep import EXCESS, PEAK
from tests.services.booking.workshop import PARIS, Workshop, at

Json = dict[str, Any]
_EXPIRE = "UPDATE bookings SET decide_by = now() - interval '1 second' WHERE id = :id AND status IN ('held', 'pending')"
_LOST = "SELECT count(*) FROM unnest(CAST(:ids AS uuid[])) AS told(id) WHERE told.id NOT IN (SELECT id FROM bookings)"


@dataclass
class Report:
    """What happened. `excess`, `refused_in_vain`, `lost` must be zero; `refusals`: how many were looked at."""

    rounds: int = 0
    answers: Counter[str] = field(default_factory=Counter[str])
    refusals: int = 0
    excess: int = 0
    refused_in_vain: int = 0
    lost: int = 0

    @property
    def sound(self) -> bool:
        return not (self.excess or self.refused_in_vain or self.lost)

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.rounds} rounds",
            *(f"  {count:6} {what}" for what, count in sorted(self.answers.items())),
            f"instants with more than the capacity: {self.excess}",
            f"refused although free: {self.refused_in_vain} of {self.refusals} periods that were refused as taken",
            f"accepted and not there afterwards: {self.lost}",
        ]


@dataclass
class Hammer:
    """`clients`: one for each member, over as many replicas as they were made for; `owners`: the owner, at each.

    `eyes`: connections of its own to look with, so that looking takes none from those who book.
    """

    workshop: Workshop
    eyes: Database
    clients: Sequence[httpx.AsyncClient]
    owners: Sequence[httpx.AsyncClient]
    capacity: int
    buffer: timedelta = timedelta(0)
    seed: int = 7
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._mine: dict[int, list[Json]] = {number: [] for number in range(len(self.clients))}
        self._accepted: set[UUID] = set()

    async def run(self, rounds: int) -> Report:
        """`rounds` more rounds; each ends before the next begins."""
        for _ in range(rounds):
            number = self.report.rounds
            if number % 2 == 0:
                await self._rule("owner" if number % 4 else "automatic")
            act = self._grow if number % 2 == 0 else self._change
            await asyncio.gather(*(act(member) for member in range(len(self.clients))))
            self.report.rounds += 1
            self.report.excess += await self._count(EXCESS)
        self.report.lost = await self._count(_LOST, ids=list(self._accepted))
        return self.report

    async def _rule(self, approval: str) -> None:
        after = int(self.buffer.total_seconds() // 60)
        await self.workshop.rules(capacity=self.capacity, buffer_after_minutes=after, approval=approval)

    async def _grow(self, member: int) -> None:
        if any(one["status"] == "held" for one in self._mine[member]):
            return  # whatever they took next would give back what they hold
        start, end = self._wish()
        body: Json = {"offer_id": str(self.workshop.laser), "start": start.isoformat(), "end": end.isoformat()}
        body |= {"quantity": self._chance.randint(1, self.capacity)}
        lot = self._chance.random()
        if lot < 0.2:
            await self._book_series(member, body)
            return
        what = "holds" if lot < 0.35 else "bookings"
        answer = await self.clients[member].post(f"/{what}", json=body)
        self._note(what, answer)
        if answer.status_code == 201:
            self._keep(member, answer.json(), [answer.json()])
        elif answer.json()["type"].endswith("resource-is-taken"):
            await self._check_refused(start, end, int(body["quantity"]))

    async def _book_series(self, member: int, body: Json) -> None:
        how = {"rrule": f"FREQ=DAILY;COUNT={self._chance.randint(2, 4)}"}
        how |= {"conflicts": self._chance.choice(["refuse", "skip"])}
        answer = await self.clients[member].post("/bookings/series", json=body | how)
        self._note("series", answer)
        told = answer.json()
        if answer.status_code == 201:
            self._keep(member, {"id": told["id"], "status": "series"}, told["bookings"])
        for conflict in told.get("conflicts", []):
            if conflict["code"] == "taken":
                start, end = (datetime.fromisoformat(conflict[name]) for name in ("start", "end"))
                await self._check_refused(start, end, int(body["quantity"]))

    async def _check_refused(self, start: datetime, end: datetime, quantity: int) -> None:
        """Within a growing round what is free now was free before."""
        peak = await self._count(PEAK, offer=self.workshop.laser, start=start, end=end + self.buffer)
        self.report.refusals += 1
        self.report.refused_in_vain += peak + quantity <= self.capacity

    def _keep(self, member: int, one: Json, bookings: Sequence[Json]) -> None:
        self._mine[member].append(one | {"bookings": [each["id"] for each in bookings]})
        if one["status"] != "held":  # holds leave no trace
            self._accepted |= {UUID(each["id"]) for each in bookings}

    async def _change(self, member: int) -> None:
        if not self._mine[member]:
            return
        one = self._mine[member].pop(self._chance.randrange(len(self._mine[member])))
        lot = self._chance.random()
        if one["status"] == "held" or (one["status"] == "pending" and lot < 0.2):
            await self.workshop.sql(_EXPIRE, id=one["id"])
        elif one["status"] == "pending" and lot < 0.6:
            self._mine[member].append(one | {"status": await self._decide(member, one["id"])})
        elif one["status"] == "series":
            await self._change_series(member, one)
        elif lot < 0.7:
            self._note("cancel", await self._as(member, one["id"], "cancel"))
        else:
            await self._move(member, one)

    async def _decide(self, member: int, booking_id: str) -> str:
        what = self._chance.choice(["approve", "approve", "decline"])
        answer = await self._as(member, booking_id, what, by_owner=True)
        self._note(what, answer)
        return answer.json().get("status", "pending")

    async def _change_series(self, member: int, one: Json) -> None:
        """Call off this one, this and those that follow, or all; or move those that follow."""
        booking_id, scope = self._chance.choice(one["bookings"]), self._chance.choice(["this", "following", "all"])
        if self._chance.random() < 0.6:
            self._note(f"cancel {scope}", await self._as(member, booking_id, "cancel", {"scope": scope}))
            return
        view = await self.clients[member].get(f"/bookings/{booking_id}")
        start, end = (datetime.fromisoformat(view.json()[name]).astimezone(PARIS) for name in ("start", "end"))
        fits = end + timedelta(minutes=30) <= end.replace(hour=20, minute=0)  # the workshop closes then
        start, end = (time + timedelta(minutes=30 if fits else -30) for time in (start, end))
        wish = {"start": start.isoformat(), "end": end.isoformat(), "quantity": view.json()["quantity"]}
        wish |= {"scope": scope, "conflicts": self._chance.choice(["refuse", "skip"])}
        answer = await self.clients[member].put(f"/bookings/{booking_id}/change", json=wish)
        self._note(f"change {scope}", answer)
        self._mine[member].append(one)

    async def _move(self, member: int, one: Json) -> None:
        """Ask for another period; where the owner is asked, the owner answers, or lets it wait."""
        start, end = self._wish()
        wish: Json = {"start": start.isoformat(), "end": end.isoformat()}
        wish |= {"quantity": self._chance.randint(1, self.capacity)}
        answer = await self.clients[member].put(f"/bookings/{one['id']}/change", json=wish)
        self._note("change", answer)
        self._mine[member].append(one)
        if answer.status_code == 200 and answer.json()["change"] and self._chance.random() < 0.7:
            how = self._chance.choice(["accept", "refuse"])
            self._note(f"change/{how}", await self._as(member, one["id"], f"change/{how}", by_owner=True))

    async def _as(
        self, member: int, booking_id: str, what: str, body: Json | None = None, *, by_owner: bool = False
    ) -> httpx.Response:
        client = self.owners[member % len(self.owners)] if by_owner else self.clients[member]
        return await client.post(f"/bookings/{booking_id}/{what}", json=body or {})

    def _wish(self) -> tuple[datetime, datetime]:
        start = at(8, days=self._chance.choice([3, 3, 4, 5])) + timedelta(minutes=30 * self._chance.randrange(20))
        return start, start + timedelta(minutes=30 * self._chance.randrange(1, 5))

    def _note(self, what: str, answer: httpx.Response) -> None:
        name = f"{what} {answer.status_code}"
        if answer.status_code >= 400:
            name += f" {answer.json().get('type', '').rpartition('/')[2]}"
        self.report.answers[name] += 1

    async def _count(self, statement: str, **values: object) -> int:
        async with self.eyes.reading() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one()

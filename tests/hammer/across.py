"""Two linked cooperatives whose people want the same machines, while the line between them is cut and mended at random.

When it is whole again, both sides are compared booking by booking, and all instants are swept on each.
"""

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.demo.api import Json, Refused, wait_for
from tests.faults.cooperative import Coop, link, under_trial
from tests.faults.proxy import Proxy, proxied
from tests.hammer.sweep import EXCESS
from tests.instances import addresses, cooperatives
from tests.servers import Servers

KINDS: tuple[Json, ...] = ({"capacity": 1, "buffer_after_minutes": 15}, {"capacity": 3}, {"approval": "owner"})
SETTLED_SECONDS = 120.0
_COPY_IS_THERE = "SELECT origin FROM peer_resources WHERE offer_id = $1"
_ASKED = """
SELECT id, status, starts_at, ends_at, quantity FROM bookings
 WHERE offer_id = ANY($1) AND (resource_origin IS NOT NULL OR borrower_peer_id IS NOT NULL)
"""
_WISHES = "SELECT booking_id AS id, starts_at, ends_at, quantity FROM changes_abroad"
_CHANGES = """
SELECT c.booking_id AS id, c.starts_at, c.ends_at, c.quantity
  FROM changes c JOIN bookings b ON b.id = c.booking_id WHERE b.borrower_peer_id IS NOT NULL
"""


@dataclass(frozen=True)
class Machine:
    """Something that can be booked. `origin`: how the other cooperative names its owner's."""

    id: UUID
    at: Coop
    owner: UUID
    origin: str
    capacity: int


@dataclass
class Told:
    """What happened. `differences`, `lost`, `excess`: empty or zero. `compared`: bookings across the border."""

    answers: Counter[str] = field(default_factory=Counter[str])
    cuts: list[str] = field(default_factory=list[str])
    accepted: int = 0
    compared: Counter[str] = field(default_factory=Counter[str])
    settled_after: float = 0.0
    differences: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    excess: int = 0

    @property
    def sound(self) -> bool:
        return not (self.differences or self.lost or self.excess)

    def lines(self) -> list[str]:
        """For people."""
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(self.compared.items()))
        return [
            f"cuts: {', '.join(self.cuts)}",
            *(f"  {count:6} {what}" for what, count in sorted(self.answers.items())),
            f"both sides alike {self.settled_after:.1f} s after the last cut was mended: {statuses}",
            f"bookings that differ: {len(self.differences)}",
            *self.differences[:20],
            f"accepted and not there afterwards: {len(self.lost)} of {self.accepted}",
            *self.lost[:20],
            f"instants with more than the capacity: {self.excess}",
        ]


@dataclass
class Crowd:
    """People of `coop` who ask, move and call off until `stop`, at the machines of both."""

    coop: Coop
    machines: Sequence[Machine]
    chance: random.Random
    stop: threading.Event
    told: Told
    accepted: list[tuple[Machine, UUID, UUID]] = field(default_factory=list[tuple[Machine, UUID, UUID]])

    def live(self) -> None:
        """One person's turn after the other; each booking is somebody else's."""
        while not self.stop.is_set():
            lot = self.chance.random()
            if lot < 0.5 or not self.accepted:
                self._ask()
            elif lot < 0.7:
                self._about_one("cancel", "POST", {"reason": "Changement de plan."})
            elif lot < 0.85:
                self._about_one("change", "PUT", self._period() | {"quantity": 1})
            else:
                self._decide()
            time.sleep(self.chance.uniform(0.02, 0.2))

    def _ask(self) -> None:
        machine, person = self.chance.choice(self.machines), self.coop.person(name="Marie")
        body: Json = {"offer_id": str(machine.id), "quantity": self.chance.randint(1, machine.capacity)}
        body |= self._period() | ({} if machine.at is self.coop else {"origin": machine.origin})
        where = "here" if machine.at is self.coop else "abroad"
        try:
            booking: Json = person.post("booking/bookings", body)
        except Refused as refused:
            self._note(f"ask {where}", refused)
            return
        self.told.answers[f"ask {where} 201"] += 1
        self.accepted.append((machine, person.id, UUID(booking["id"])))

    def _about_one(self, what: str, method: str, body: Json) -> None:
        machine, member_id, booking_id = self.chance.choice(self.accepted)
        where = "here" if machine.at is self.coop else "abroad"
        self._call(f"{what} {where}", member_id, method, f"{booking_id}/{what}", body)

    def _decide(self) -> None:
        """An owner here decides on something that waits."""
        machine = self.chance.choice([one for one in self.machines if one.at is self.coop])
        owner = self.coop.person(member_id=machine.owner)
        waiting: list[Json] = owner.get("booking/bookings", role="owner", limit=200)["items"]
        waiting = [one for one in waiting if one["may_decide"] or (one["change"] and one["change"]["may_answer"])]
        if not waiting:
            return
        one = self.chance.choice(waiting)
        acts = ["approve", "approve", "decline"] if one["may_decide"] else ["change/accept", "change/refuse"]
        act = self.chance.choice(acts)
        self._call(act, machine.owner, "POST", f"{one['id']}/{act}", {})

    def _call(self, what: str, member_id: UUID, method: str, path: str, body: Json) -> None:
        try:
            self.coop.person(member_id=member_id).call(method, f"booking/bookings/{path}", json=body)
        except Refused as refused:
            self._note(what, refused)
        else:
            self.told.answers[f"{what} 200"] += 1

    def _note(self, what: str, refused: Refused) -> None:
        kind = str(refused.problem.get("type", "")).rpartition("/")[2]
        self.told.answers[f"{what} {refused.status} {kind}"] += 1

    def _period(self) -> Json:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = midnight + timedelta(days=2, minutes=15 * self.chance.randrange(60))
        end = start + timedelta(minutes=15 * self.chance.randint(1, 6))
        return {"start": start.isoformat(), "end": end.isoformat()}


def hammer(pair: Sequence[Coop], lines: Sequence[Proxy], *, cuts: int, people: int, seed: int) -> Told:
    """Play with two linked cooperatives; `lines`: how each is read by the other. The line is whole when it returns."""
    chance, stop, told = random.Random(seed), threading.Event(), Told()
    machines = [machine for coop, other in (pair, pair[::-1]) for machine in _machines(coop, other)]
    crowds = [Crowd(coop, machines, random.Random(chance.random()), stop, told) for coop in pair for _ in range(people)]
    threads = [threading.Thread(target=crowd.live) for crowd in crowds]
    for thread in threads:
        thread.start()
    try:
        for _ in range(cuts):
            time.sleep(chance.uniform(0.5, 3.0))
            told.cuts.append(_cut(lines, chance))
        time.sleep(2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    _judge(told, pair, machines, crowds)
    return told


def play(servers: Servers, *, cuts: int, people: int, seed: int) -> Told:
    """The same with cooperatives of its own."""
    with ExitStack() as stack:
        lines = [stack.enter_context(proxied(servers.amqp_port)) for _ in range(2)]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-hammer-")))
        make = stack.enter_context(cooperatives(servers, folder))
        pair = [
            stack.enter_context(
                under_trial(
                    make(name, where=addresses(servers), border_port=line.port, MAILLAGE_LOG_LEVEL="warning"),
                    servers,
                    agent=True,
                )
            )
            for name, line in zip(("lille", "namur"), lines, strict=True)
        ]
        link(pair[0], pair[1])
        return hammer(pair, lines, cuts=cuts, people=people, seed=seed)


def _machines(coop: Coop, other: Coop) -> list[Machine]:
    found: list[Machine] = []
    for number, rules in enumerate(KINDS):
        owner = coop.person(name="Paul")
        offer = UUID(coop.bookable(owner, f"Presse {number}", **rules)["id"])
        origin = wait_for("its rules at the peer", lambda offer=offer: other.value("booking", _COPY_IS_THERE, offer))
        found.append(Machine(offer, coop, owner.id, origin, int(rules.get("capacity", 1))))
    return found


def _cut(lines: Sequence[Proxy], chance: random.Random) -> str:
    """Cut one direction or both, for some seconds."""
    how, seconds = chance.choice(["closed", "silent"]), chance.uniform(0.5, 5.0)
    which = chance.choice([lines, lines, lines[:1], lines[1:]])
    for line in which:
        line.silence() if how == "silent" else line.cut()
    time.sleep(seconds)
    for line in which:
        line.mend()
    return f"{how} {'both ways' if len(which) > 1 else 'one way'} {seconds:.1f} s"


def _judge(told: Told, pair: Sequence[Coop], machines: Sequence[Machine], crowds: Sequence[Crowd]) -> None:
    offers, began = [machine.id for machine in machines], time.monotonic()
    while (differences := _differences(pair, offers)) and time.monotonic() - began < SETTLED_SECONDS:
        time.sleep(0.5)
    told.settled_after, told.differences = time.monotonic() - began, differences
    for coop in pair:
        told.excess += coop.value("booking", EXCESS)
    for row in pair[0].rows("booking", _ASKED, offers):
        told.compared[row["status"]] += 1
    rows = {id(coop): {row["id"] for row in coop.rows("booking", "SELECT id FROM bookings")} for coop in pair}
    for crowd in crowds:
        told.accepted += len(crowd.accepted)
        for machine, _, booking_id in crowd.accepted:
            for coop in {id(machine.at): machine.at, id(crowd.coop): crowd.coop}.values():
                if booking_id not in rows[id(coop)]:
                    told.lost.append(f"{booking_id} is not in {coop.name}")


def _differences(pair: Sequence[Coop], offers: Sequence[UUID]) -> list[str]:
    """Bookings across the border that the two do not show alike, and changes that only one waits for."""
    here, there = (_by_id(coop.rows("booking", _ASKED, list(offers))) for coop in pair)
    found = [
        f"{key}: {here.get(key)} / {there.get(key)}"
        for key in here.keys() | there.keys()
        if here.get(key) != there.get(key)
    ]
    for asking, deciding in (pair, pair[::-1]):
        wishes = _by_id(asking.rows("booking", _WISHES))
        changes = _by_id(deciding.rows("booking", _CHANGES))
        found += [
            f"change of {key}: {wishes.get(key)} / {changes.get(key)}"
            for key in wishes.keys() | changes.keys()
            if wishes.get(key) != changes.get(key)
        ]
    return sorted(found)


def _by_id(rows: Sequence[dict[str, Any]]) -> dict[Any, Any]:
    return {row["id"]: tuple(value for name, value in row.items() if name != "id") for row in rows}

"""Two cooperatives and a border that loses no message but delays, doubles and mixes them, against a simple oracle.

Both sides are the real booking service on a real database of its own; what crosses is translated as federation does.
Messages lie in one heap, and are heard in whatever order, twice, and at whatever moment. The two clocks differ by up to
a minute. `MAILLAGE_MODEL_EXAMPLES` plays more stories than the few that run with every test.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services import provision
from services.chassis.ids import new_id
from tests.instances import Instance, plan, provision_quickly
from tests.servers import Servers
from tests.services.booking.border_side import opened_side
from tests.services.booking.border_story import Asked, Story
from tests.services.booking.workshop import at

EXAMPLES = int(os.environ.get("MAILLAGE_MODEL_EXAMPLES", "25"))
SLOTS = st.integers(0, 2)
WHICH = st.integers(0, 30)


class Border(Story):
    """Lille asks, Namur decides."""

    # -- the stage

    @initialize(
        approval=st.sampled_from(["automatic", "owner"]),
        notice=st.sampled_from([0, 96 * 60]),
        check_in=st.sampled_from(["none", "asked"]),
        apart=st.integers(-60, 60),
        ends=st.sampled_from([False, False, False, False, True]),
    )
    def open(self, approval: str, notice: int, check_in: str, apart: int, *, ends: bool) -> None:
        self.may_end = ends
        self.approval, self.apart, self.passed = approval, timedelta(seconds=apart), timedelta(0)
        self.do(self._open(notice, check_in))
        self.ask(0)

    async def _open(self, notice: int, check_in: str) -> None:
        for side, other in ((self.lille, self.namur), (self.namur, self.lille)):
            await side.forget()
            await side.link(other, "active")
        await self._set_clocks()
        rules = {"approval": self.approval, "check_in": check_in, "terms": {"cancel_notice_minutes": notice}}
        await self.namur.share_laser(self.lille, **rules)

    # -- what people do

    @rule(slot=SLOTS)
    def ask(self, slot: int) -> None:
        """Ana of Lille asks for an hour of Namur's laser."""
        body = _hour(slot) | {"offer_id": str(self.namur.workshop.laser), "origin": self.namur.peer}
        answer = self._call(self.lille.workshop.as_ana.post("/bookings", json=body))
        if answer.status_code == 201:
            told = answer.json()
            period = (datetime.fromisoformat(told["start"]), datetime.fromisoformat(told["end"]))
            self.asked.append(Asked(UUID(told["id"]), datetime.fromisoformat(told["decide_by"]), [period]))

    @rule(slot=SLOTS)
    def ask_at_home(self, slot: int) -> None:
        """Somebody of Namur wants the same laser: that is not said at the border."""
        self.home_asked = True
        self._call(
            self.namur.workshop.as_ana.post(
                "/bookings", json=_hour(slot) | {"offer_id": str(self.namur.workshop.laser)}
            )
        )

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, act=st.sampled_from(["approve", "approve", "decline", "cancel"]))
    def owner_decides(self, which: int, act: str) -> None:
        one = self._one(which)
        if self._call(self.namur.workshop.as_omar.post(f"/bookings/{one.id}/{act}", json={})).status_code == 200:
            one.acts.add(act)

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, act=st.sampled_from(["accept", "accept", "refuse"]))
    def owner_decides_on_change(self, which: int, act: str) -> None:
        one = self._one(which)
        if self._call(self.namur.workshop.as_omar.post(f"/bookings/{one.id}/change/{act}")).status_code == 200:
            one.acts.add(act)

    @precondition(lambda self: self.asked)
    @rule(which=WHICH)
    def borrower_cancels(self, which: int) -> None:
        one = self._one(which)
        if self._call(self.lille.workshop.as_ana.post(f"/bookings/{one.id}/cancel", json={})).status_code == 200:
            one.acts.add("withdraw")

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, slot=SLOTS)
    def borrower_asks_to_move(self, which: int, slot: int) -> None:
        one, hour = self._one(which), _hour(slot)
        answer = self._call(self.lille.workshop.as_ana.put(f"/bookings/{one.id}/change", json=hour | {"quantity": 1}))
        if answer.status_code == 200:
            one.periods.append((datetime.fromisoformat(hour["start"]), datetime.fromisoformat(hour["end"])))

    @precondition(lambda self: self.asked)
    @rule(which=WHICH)
    def borrower_no_longer_asks_to_move(self, which: int) -> None:
        self._call(self.lille.workshop.as_ana.post(f"/bookings/{self._one(which).id}/change/withdraw"))

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, slot=SLOTS)
    def owner_asks_to_move(self, which: int, slot: int) -> None:
        one, hour = self._one(which), _hour(slot)
        answer = self._call(self.namur.workshop.as_omar.put(f"/bookings/{one.id}/change", json=hour | {"quantity": 1}))
        if answer.status_code == 200:
            one.periods.append((datetime.fromisoformat(hour["start"]), datetime.fromisoformat(hour["end"])))

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, act=st.sampled_from(["accept", "accept", "refuse"]))
    def borrower_answers_the_owner(self, which: int, act: str) -> None:
        self._call(self.lille.workshop.as_ana.post(f"/bookings/{self._one(which).id}/change/{act}"))

    @precondition(lambda self: self.asked)
    @rule(which=WHICH)
    def owner_no_longer_asks_to_move(self, which: int) -> None:
        self._call(self.namur.workshop.as_omar.post(f"/bookings/{self._one(which).id}/change/withdraw"))

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, step=st.sampled_from(["check-in", "check-out"]), there=st.booleans())
    def somebody_comes_or_leaves(self, which: int, step: str, there: bool) -> None:  # noqa: FBT001 - hypothesis
        who = self.namur.workshop.as_omar if there else self.lille.workshop.as_ana
        self._call(who.post(f"/bookings/{self._one(which).id}/{step}", json={} if step == "check-in" else None))

    # -- what the world does

    @precondition(lambda self: self.heap)
    @rule(which=WHICH, again=st.sampled_from([False, False, False, True]))
    def deliver(self, which: int, again: bool) -> None:  # noqa: FBT001 - hypothesis
        """One message is heard, or heard and stays in the heap to be heard once more."""
        self._remember()
        place = which % len(self.heap)
        to, event = self.heap[place]
        heard = self.do(self._heard(to, event))
        if heard and not again:
            del self.heap[place]
        said = self._collect()
        if heard and to is self.namur and not self.ended:
            self._is_answered(event, said)

    @precondition(lambda self: self.heap)
    @rule(backwards=st.booleans())
    def all_is_heard(self, backwards: bool) -> None:  # noqa: FBT001 - hypothesis
        """All that lies in the heap now, the first or the last first; not what is said because of it."""
        self._remember()
        waiting = self.heap[::-1] if backwards else self.heap
        self.heap = [one for one in waiting if not self.do(self._heard(*one))]
        self._collect()

    @rule(hours=st.sampled_from([1, 24, 47, 73]))
    def time_passes(self, hours: int) -> None:
        self.passed += timedelta(hours=hours)
        self.do(self._set_clocks())

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, minutes=st.sampled_from([-10, 5, 45, 70]))
    def a_start_comes(self, which: int, minutes: int) -> None:
        """Some minutes before, in or after the grace, or after the end of what was asked for first."""
        at_last = self._one(which).periods[0][0] + timedelta(minutes=minutes) - datetime.now(UTC)
        self.passed = max(self.passed, at_last)
        self.do(self._set_clocks())

    @rule(there=st.booleans())
    def sweep(self, there: bool) -> None:  # noqa: FBT001 - hypothesis
        self._remember()
        self.do((self.namur if there else self.lille).sweep())
        self._collect()

    @precondition(lambda self: self.may_end and self.asked and len(self.ended) < 2)
    @rule(there=st.booleans())
    def link_ends(self, there: bool) -> None:  # noqa: FBT001 - hypothesis
        """On one side; the other hears of it later. In few stories: what came before is not compared then."""
        self._end_link(self.namur if there else self.lille)


def _hour(slot: int) -> dict[str, Any]:
    return {"start": at(9 + slot).isoformat(), "end": at(10 + slot).isoformat()}


async def _instance(servers: Servers, folder: Path, name: str) -> tuple[provision.Plan, Instance]:
    only = {"booking": provision.declared_subscriptions()["booking"]}
    wanted = plan(servers, f"{name}-{new_id().hex[-8:]}", folder / name, subscriptions=only)
    await provision_quickly(wanted, servers)
    return wanted, Instance(name=wanted.instance, secrets_dir=wanted.secrets_dir, servers=servers)


@pytest.mark.timeout(900)
def test_whatever_crosses_when_both_sides_end_alike(servers: Servers, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        made = [runner.run(_instance(servers, tmp_path, name)) for name in ("lille", "namur")]
        sides = [runner.run(opened_side(instance, wanted.instance)) for wanted, instance in made]
        world = type("World", (Border,), {"lille": sides[0], "namur": sides[1], "do": staticmethod(runner.run)})
        how = settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        try:
            run_state_machine_as_test(world, settings=how)
        finally:
            for side, (wanted, _) in zip(sides, made, strict=True):
                runner.run(side.workshop.db.close())
                runner.run(provision.remove(wanted))

"""By what a story of `test_border_model.py` is told and judged: two sides, a heap of messages, an oracle."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis.stateful import RuleBasedStateMachine

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderUseReported,
)
from contracts.envelope import Event
from services.booking.commands.peer_changes import NotAskedYet
from services.booking.domain.states import OPEN
from tests.hammer.sweep import EXCESS
from tests.services.booking.border_side import CHANGES, WISHES, Side

Do = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass
class Asked:
    """What the oracle knows of a booking: what was ever done about it, and which periods were wished for."""

    id: UUID
    decide_by: datetime
    periods: list[tuple[datetime, datetime]]
    acts: set[str] = field(default_factory=set[str])


class Story(RuleBasedStateMachine):
    """Who takes part, what was done, and what must hold; the rules by which it goes on are its subclass's."""

    lille: Side
    namur: Side
    do: Do

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.heap: list[tuple[Side, Event]] = []
        self.approval = ""
        self.apart = self.passed = timedelta(0)
        self.ended: set[str] = set()
        self.may_end = self.home_asked = False
        self.before: dict[UUID, Any] = {}
        self.told: dict[tuple[UUID, int], BorderBookingAnswered] = {}
        self.time_before = self.namur.now()

    async def _set_clocks(self) -> None:
        await self.lille.move_clock(self.passed)
        await self.namur.move_clock(self.passed + self.apart)

    async def _heard(self, to: Side, event: Event) -> bool:
        try:
            await to.hear(event, self.namur if to is self.lille else self.lille)
        except NotAskedYet:
            return False
        return True

    def _end_link(self, side: Side) -> None:
        self._remember()
        self.ended.add(side.peer)
        self.do(side.link(self.namur if side is self.lille else self.lille, "ended"))
        self._collect()

    # -- what must hold

    def _look_at_namur(self) -> None:
        """Nothing overlaps, and Namur never confirms after `decide_by`, by its own clock."""
        assert self.do(self.namur.value(EXCESS)) == 0
        rows = self.do(self.namur.rows())
        for one in self.asked:
            was, now = self.before.get(one.id), rows.get(one.id)
            if now is not None and now.status == "confirmed" and (was is None or was.status == "pending"):
                limit = was.decide_by if was is not None else one.decide_by
                assert self.time_before < limit, "confirmed when the time to decide was over"
        self.before = rows

    def _listen_to_namur(self, said: list[Event]) -> None:
        """A version says one thing for ever: whoever has heard it need not hear it again."""
        for event in said:
            if isinstance(event, BorderBookingAnswered):
                plain = event.model_copy(update={"start_at_risk": False})
                assert self.told.setdefault((event.booking_id, event.version), plain) == plain, (
                    "one version, two states"
                )

    def _is_answered(self, heard: Event, said: list[Event]) -> None:
        """What Lille asks of a booking that Namur knows is never met with silence, nor with a state before it."""
        mine = [one for one in said if isinstance(one, BorderBookingAnswered) and one.subject == heard.subject]
        match heard:
            case BorderBookingWithdrawn() if self.before.get(heard.booking_id) is not None:
                over = any(one.status not in {"pending", "confirmed"} for one in mine)
                assert over or any(one.withdrawals_heard >= heard.number for one in mine), (
                    "a withdrawal was not answered"
                )
            case BorderChangeRequested() | BorderChangeAnswered() | BorderUseReported() if not mine:
                assert isinstance(heard, BorderUseReported), f"{heard.type} was not answered"
            case _:
                pass

    def teardown(self) -> None:
        if not self.approval:
            return
        for _ in range(40):
            if not self.heap:
                break
            for to, event in self.heap.copy():
                if self.do(self._heard(to, event)):
                    self.heap.remove((to, event))
            self._collect()
        if not self.ended:
            assert not self.heap, f"never heard: {self.heap}"
        self._remember()
        self.do(self.namur.sweep())
        self._collect()
        for to, event in self.heap:
            self.do(self._heard(to, event))
        self.heap = []
        for side in (self.lille, self.namur):
            if self.ended and side.peer not in self.ended:
                self._end_link(side)
        self._compare()

    def _compare(self) -> None:
        here, there = self.do(self.lille.rows()), self.do(self.namur.rows())
        for one in self.asked:
            ours, theirs = here[one.id], there.get(one.id)  # what was acknowledged is there
            if self.ended:
                assert ours.status not in OPEN
                assert theirs is None or theirs.status not in OPEN
                continue
            assert theirs is not None
            assert shown(ours) == shown(theirs), one
            self._judge(one, theirs)
        if not self.ended:
            wishes, changes = self.do(self.lille.rows(WISHES)), self.do(self.namur.rows(CHANGES))
            assert wishes == changes

    def _judge(self, one: Asked, row: Any) -> None:
        """What came of it follows from what was done."""
        period = (row.starts_at, row.ends_at)
        assert period in one.periods
        if row.status == "cancelled":
            assert one.acts & {"withdraw", "cancel"}
        if row.status in {"confirmed", "in_use", "overdue", "completed", "no_show"}:
            assert self.approval == "automatic" or "approve" in one.acts
        if row.status == "expired":
            assert self.namur.now() >= min(one.decide_by, row.decide_by or one.decide_by)

    # -- how

    def _one(self, which: int) -> Asked:
        return self.asked[which % len(self.asked)]

    def _call(self, request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        self._remember()
        answer = self.do(request)
        assert answer.status_code < 500, answer.text
        self._collect()
        return answer

    def _remember(self) -> None:
        self.time_before = self.namur.now()

    def _collect(self) -> list[Event]:
        """What was said goes into the heap. Returns what Namur said; only then has anything changed there."""
        self.heap += [(self.namur, event) for event in self.do(self.lille.say())]
        said = self.do(self.namur.say())
        self.heap += [(self.lille, event) for event in said]
        if said or self.home_asked:
            self._look_at_namur()
        self._listen_to_namur(said)
        self.home_asked = False
        return said


def shown(row: Any) -> Any:
    return row.status, row.starts_at, row.ends_at, row.quantity, row.checked_in_at, row.checked_out_at

"""Bookings that are asked for at the same time are decided in one transaction.

A decision costs a few statements, a commit a write to the disk and round trips that are the same for one booking and
for thirty. So one group is decided at a time, and whoever asks meanwhile is in the next one: alone, nobody waits.
What is not plain (quotas to count, something that must expire first, rules that have changed) is left to a transaction
of its own, where each is decided like before.
"""

import asyncio
import contextvars
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.binding import Binding, Outcome, bind_together
from services.booking.commands.book import Borrower, Wanted, bookable, check_circle, prepared
from services.booking.commands.refusing import Refusals
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person
from services.booking.domain.problems import TooManyPending
from services.booking.resources import Resource
from services.chassis import logs
from services.chassis.auth import Actor
from services.chassis.database import Database
from services.chassis.problems import Problem

LARGEST_GROUP = 32

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A booking that stands, whose it is, and how is decided on it."""

    booking: Booking
    person: Person
    how: queries.Deciding


@dataclass(eq=False, kw_only=True)
class _Request:
    """`answer`: what was made; None when it needs a transaction of its own. `context`: its trace."""

    wanted: Wanted
    actor: Actor
    limit: int
    now: datetime
    answer: "asyncio.Future[Made | None]"
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def refuse(self, problem: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(problem)

    def give(self, made: Made | None) -> None:
        if not self.answer.done():
            self.answer.set_result(made)


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A request that the rules allow."""

    request: _Request
    person: Person
    offer: Offer
    resource: Resource
    binding: Binding


class GroupCommit:
    """Books resources of ours for members of ours."""

    def __init__(self, db: Database, asked: queries.Asked) -> None:
        self._db = db
        self._asked = asked
        self._waiting: list[_Request] = []
        self._deciding: asyncio.Task[None] | None = None

    async def book(self, wanted: Wanted, *, by: Actor, limit: int, now: datetime) -> Made | None:
        """What was made and committed; None: ask again with `commands.book`, nothing has happened.

        `limit`: how many requests of the member may wait. Raises like `commands.book`, and NotAllowed.
        """
        answer: asyncio.Future[Made | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(wanted=wanted, actor=by, limit=limit, now=now, answer=answer))
        if self._deciding is None or self._deciding.done():
            self._deciding = asyncio.create_task(self._decide_waiting(), name="group-commit")
        return await answer

    async def _decide_waiting(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
            try:
                await self._decide(group)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait next must be decided on
                _log.warning("group-not-decided", count=len(group), error=logs.line_of(error))
            finally:
                for request in group:
                    request.give(None)

    async def _decide(self, group: Sequence[_Request]) -> None:
        async with self._db.autocommit() as session:
            cases = await self._allowed(session, group)
            if not cases:
                return
            outcomes = await bind_together(session, [case.binding for case in cases])
        await self._answer(list(zip(cases, outcomes, strict=True)))

    async def _allowed(self, session: AsyncSession, group: Sequence[_Request]) -> list[_Case]:
        facts = await self._asked.facts(
            session,
            member_ids={request.actor.id for request in group},
            offer_ids={request.wanted.offer_id for request in group},
        )
        cases: list[_Case] = []
        for request in group:
            try:
                case = request.context.run(_case_of, request, facts)
            except Problem as problem:
                request.refuse(problem)
            else:
                cases += [case] if case is not None else []
        return cases

    async def _answer(self, decided: Sequence[tuple[_Case, Outcome]]) -> None:
        taken: list[_Case] = []
        for case, outcome in decided:
            if outcome == "bound":
                terms = case.resource.terms
                how = queries.Deciding(approval=case.resource.approval, needed=terms.approvals_needed)
                case.request.give(Made(booking=case.binding.booking, person=case.person, how=how))
            elif outcome == "too_many_waiting":
                case.request.refuse(TooManyPending(limit=case.request.limit))
            elif outcome == "taken":
                taken.append(case)
        if taken:
            await self._refuse(taken)

    async def _refuse(self, taken: Sequence[_Case]) -> None:
        async with self._db.reading() as session:
            refusals = Refusals(session, taken[0].request.now)
            for case in taken:
                case.request.refuse(
                    await refusals.taken(case.offer, case.resource, case.binding.booking, by=case.person)
                )


def _case_of(request: _Request, facts: queries.Facts) -> _Case | None:
    """None: a quota is to be counted, or nothing is known of the offer. Raises what the rules say against it."""
    known = facts.known.get(request.wanted.offer_id)
    if known is None or facts.counts(known):
        return None
    person = facts.person(request.actor)
    offer = bookable(known.offer, by=person, now=request.now)
    check_circle(request.wanted, person)
    borrower = Borrower(limit=request.limit, person=person)
    resource, binding = prepared(offer, known.resource, request.wanted, borrower, now=request.now)
    _ = binding.values
    return _Case(request=request, person=person, offer=offer, resource=resource, binding=binding)

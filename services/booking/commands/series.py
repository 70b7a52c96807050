"""Booking a series of our own resource: every occurrence is checked, and all are booked in one step or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesConfirmed, SeriesRequested
from services.booking import queries
from services.booking.commands.book import Borrower, Wanted, bookable_offer, check_pending, new_booking
from services.booking.commands.expiring import expire_around
from services.booking.commands.handing_out import hand_out
from services.booking.commands.quotas import ledgers
from services.booking.commands.telling import busy_changed
from services.booking.commands.together import insert_all, tell_series
from services.booking.domain.availability import Rules, search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person
from services.booking.domain.eligibility import check_may_ask
from services.booking.domain.limits import NotInCircle
from services.booking.domain.occurrences import (
    Conflict,
    Occurrence,
    Plan,
    judged,
    occurrences,
    rules_for_series,
)
from services.booking.domain.problems import NotBookable, Recovering, ResourceIsClosed, RulesChangedMeanwhile
from services.booking.domain.quotas import Ledger
from services.booking.domain.requests import decide_by
from services.booking.domain.series import Series
from services.booking.domain.series_problems import SeriesHasConflicts
from services.booking.domain.spans import Span
from services.booking.resources import Resource
from services.booking.tables import resources
from services.chassis.ids import new_id


@dataclass(frozen=True, kw_only=True)
class WantedSeries:
    """What is asked for. `skip`: book the other dates when some cannot be."""

    id: UUID
    offer_id: UUID
    plan: Plan
    quantity: int
    note: str
    circle_id: UUID | None = None
    skip: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many requests of the borrower may wait (a series is one), how many days ahead a series may go."""

    pending: int
    days: int


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What would come of a series: `waits` for a decision or not, which dates can be, and why the rest cannot."""

    resource: Resource
    waits: bool
    wanted: list[Occurrence]
    fitting: list[Occurrence]
    conflicts: list[Conflict]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A series that was booked, its bookings in order, and the dates that could not be."""

    series: Series
    bookings: list[Booking]
    conflicts: list[Conflict]


async def check_series(
    session: AsyncSession, wanted: WantedSeries, *, by: Person, limits: Limits, now: datetime
) -> Examined:
    """What `book_series` would find now; nothing is written. Raises like it, but for SeriesHasConflicts."""
    case = await _case(session, wanted, by=by, limits=limits, now=now)
    counted = await ledgers(session, case.resource, case.first, case.window)
    if case.waits:
        await check_pending(session, case.borrower)
    return await _examine(session, case, wanted, counted, now=now)


async def book_series(
    session: AsyncSession, wanted: WantedSeries, *, by: Person, limits: Limits, now: datetime
) -> Made:
    """Book a series for a member of ours: confirmed at once, or one request that waits.

    Raises OfferUnknown, NotInCircle, NotBookable, ResourceIsClosed, NotForYou, InvalidFields, TooManyPending,
    SeriesHasConflicts (also with `skip` when no date is left), RulesChangedMeanwhile, Recovering.
    """
    case = await _case(session, wanted, by=by, limits=limits, now=now)
    counted = await ledgers(session, case.resource, case.first, case.window)
    if case.waits:
        await check_pending(session, case.borrower)
    await _lock(session, case.resource)
    await expire_around(session, wanted.offer_id, case.window)
    await hand_out(session, wanted.offer_id)  # nobody overtakes a waiting list
    examined = await _examine(session, case, wanted, counted, now=now)
    if not examined.fitting or (examined.conflicts and not wanted.skip):
        raise SeriesHasConflicts(examined.conflicts, free=len(examined.fitting))
    return await _write(session, case, wanted, examined, now=now)


@dataclass(frozen=True, kw_only=True)
class _Case:
    """All that a series is judged by: who asks, under which rules, for which dates; `first`: how a booking would be."""

    offer: Offer
    resource: Resource
    rules: Rules
    borrower: Borrower
    wanted: list[Occurrence]
    first: Booking

    @property
    def waits(self) -> bool:
        return self.resource.approval != "automatic"

    @cached_property
    def window(self) -> Span:
        """From the first to the last instant that any of its dates occupies."""
        spans = [self.rules.occupied(one.period) for one in self.wanted]
        return Span(min(span.start for span in spans), max(span.end for span in spans))


async def _case(session: AsyncSession, wanted: WantedSeries, *, by: Person, limits: Limits, now: datetime) -> _Case:
    offer = await bookable_offer(session, wanted.offer_id, None, by=by, now=now)
    if wanted.circle_id is not None and wanted.circle_id not in by.circle_ids:
        raise NotInCircle
    resource = await queries.resource(session, offer.id)
    if resource is None:
        raise NotBookable
    if not resource.is_open:
        raise ResourceIsClosed
    if resource.recovering:
        raise Recovering
    borrower = Borrower(limit=limits.pending, person=by)
    rules = rules_for_series(resource.rules, limits.days)
    check_may_ask(rules, resource.terms, borrower.asking_for(offer), wanted.plan.first, now=now)
    last = now.astimezone(rules.zone).date() + timedelta(days=rules.horizon_days)
    dates = occurrences(wanted.plan, rules.zone, last=last)
    one = Wanted(
        id=wanted.id,
        offer_id=offer.id,
        period=wanted.plan.first,
        quantity=wanted.quantity,
        note=wanted.note,
        circle_id=wanted.circle_id,
    )
    first = new_booking(offer, one, borrower, resource, now)
    return _Case(offer=offer, resource=resource, rules=rules, borrower=borrower, wanted=dates, first=first)


async def _lock(session: AsyncSession, resource: Resource) -> None:
    """Hold the resource: nobody else books it until the transaction ends. Raises RulesChangedMeanwhile."""
    found = sa.select(resources.c.version, resources.c.status).where(resources.c.offer_id == resource.offer_id)
    row = (await session.execute(found.with_for_update(key_share=True))).one()
    if (row.version, row.status) != (resource.version, "open"):
        raise RulesChangedMeanwhile


async def _examine(
    session: AsyncSession, case: _Case, wanted: WantedSeries, counted: Sequence[Ledger], *, now: datetime
) -> Examined:
    occupied = await queries.occupied(session, wanted.offer_id, search_window(case.window))
    fitting, conflicts = judged(
        case.rules,
        case.wanted,
        quantity=wanted.quantity,
        occupied=occupied,
        now=now,
        count=counting(counted, case.first),
    )
    return Examined(resource=case.resource, waits=case.waits, wanted=case.wanted, fitting=fitting, conflicts=conflicts)


def counting(ledgers_: Sequence[Ledger], like: Booking) -> Callable[[Span], None]:
    """Count one more period of a booking `like` this one in each of the ledgers, or raise QuotaReached."""

    def count(period: Span) -> None:
        one = like.as_moved(period, like.quantity, period)
        for ledger in ledgers_:
            ledger.check(one)
        for ledger in ledgers_:
            ledger.add(one)

    return count if ledgers_ else lambda _: None


async def _write(
    session: AsyncSession, case: _Case, wanted: WantedSeries, examined: Examined, *, now: datetime
) -> Made:
    plan, fitting = wanted.plan, examined.fitting
    left_out = plan.exceptions | {conflict.occurrence.day for conflict in examined.conflicts}
    made = Series(
        id=wanted.id,
        offer_id=wanted.offer_id,
        borrower_member_id=case.first.borrower_member_id or wanted.id,
        rrule=str(plan.rule),
        time_zone=case.rules.time_zone,
        starts_at=plan.first.start,
        ends_at=plan.first.end,
        exceptions=sorted(left_out),
        size=len(fitting),
        status="pending" if case.waits else "confirmed",
        created_at=now,
        changed_at=now,
    )
    until = min(decide_by(case.rules, one.period, now) for one in fitting) if case.waits else None
    like = replace(case.first, series_id=made.id, series_size=made.size, status=made.status, decide_by=until)
    booked = [_booked(like, one, number, case.rules) for number, one in enumerate(fitting, start=1)]
    session.add(made)
    await insert_all(session, booked)
    await tell_series(
        session,
        made,
        booked,
        [one.asked() for one in booked],
        as_one=SeriesRequested if case.waits else SeriesConfirmed,
        by=case.borrower.name,
        what="requested" if case.waits else "booked",
    )
    await busy_changed(session, wanted.offer_id)
    return Made(series=made, bookings=booked, conflicts=examined.conflicts)


def _booked(like: Booking, one: Occurrence, number: int, rules: Rules) -> Booking:
    return replace(
        like,
        id=new_id(),
        starts_at=one.period.start,
        ends_at=one.period.end,
        occupied=rules.occupied(one.period),
        series_position=number,
        occurrence=one.original,
    )

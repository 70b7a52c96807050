"""Series: checked and booked whole, decided in one step, and looked at."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At, Settings
from services.booking.api.forms import ReasonForm
from services.booking.api.texts import Instant, ShortText
from services.booking.commands import series as commands
from services.booking.commands import series_deciding
from services.booking.commands.series import Limits, Made, WantedSeries
from services.booking.commands.series_answering import accept_series_change, refuse_series_change
from services.booking.domain.deciding import Person, may_decide, may_read
from services.booking.domain.occurrences import Moved, Plan
from services.booking.domain.recurrence import LONGEST_RULE, MOST, recurrence_of
from services.booking.domain.spans import Span
from services.booking.series_views import (
    CheckView,
    SeriesView,
    conflict_views,
    date_views,
    series_change_view,
    series_view,
)
from services.chassis.auth import CurrentMember
from services.chassis.idempotency import OnceDep
from services.chassis.ids import new_id
from services.chassis.problems import Language, NotFound, language_of

router = APIRouter(tags=["series"])


@dataclass(frozen=True)
class _Asking:
    """What a series is asked under: the limits of this instance, and the language that the answer is read in."""

    limits: Limits
    language: Language


def _asking_of(request: Request, settings: Settings) -> _Asking:
    limits = Limits(pending=settings.booking_pending_per_member, days=settings.booking_series_days)
    return _Asking(limits, language_of(request.headers.get("accept-language")))


Asking = Annotated[_Asking, Depends(_asking_of)]


class MovedForm(BaseModel):
    """The occurrence of the local day `from` takes `[start, end)` instead."""

    model_config = ConfigDict(extra="forbid")

    from_: date = Field(alias="from")
    start: Instant
    end: Instant


class SeriesForm(BaseModel):
    """A series for one of our offers: `[start, end)` is its first occurrence, `rrule` a rule of RFC 5545 with an end.

    The rule is read on the wall clock of the resource. `exceptions`: local days without a booking. `conflicts`: whether
    nothing is booked when a date cannot be ("refuse"), or the rest ("skip").
    """

    model_config = ConfigDict(extra="forbid")

    offer_id: UUID
    start: Instant
    end: Instant
    rrule: str = Field(min_length=1, max_length=LONGEST_RULE)
    exceptions: list[date] = Field(default=[], max_length=MOST)
    moved: list[MovedForm] = Field(default=[], max_length=MOST)
    quantity: int = Field(default=1, ge=1, le=10_000)
    note: ShortText = ""
    circle_id: UUID | None = None
    conflicts: Literal["refuse", "skip"] = "refuse"

    def wanted(self, series_id: UUID) -> WantedSeries:
        """What the form asks for. Raises InvalidFields for the rule."""
        plan = Plan(
            rule=recurrence_of(self.rrule),
            first=Span(self.start, self.end),
            exceptions=frozenset(self.exceptions),
            moved=tuple(Moved(day=one.from_, period=Span(one.start, one.end)) for one in self.moved),
        )
        return WantedSeries(
            id=series_id,
            offer_id=self.offer_id,
            plan=plan,
            quantity=self.quantity,
            note=self.note,
            circle_id=self.circle_id,
            skip=self.conflicts == "skip",
        )


@router.post("/bookings/series/check")
async def check_series(form: SeriesForm, actor: CurrentMember, at: At, asking: Asking) -> CheckView:
    """What would come of a series; nothing is booked."""
    wanted = form.wanted(new_id())
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        found = await commands.check_series(session, wanted, by=person, limits=asking.limits, now=at.clock.now())
    return CheckView(
        rrule=str(wanted.plan.rule),
        time_zone=found.resource.rules.time_zone,
        waits=found.waits,
        dates=date_views(found.fitting),
        conflicts=conflict_views(found.conflicts, asking.language),
    )


@router.post("/bookings/series", status_code=201)
async def create_series(form: SeriesForm, actor: CurrentMember, at: At, once: OnceDep, asking: Asking) -> SeriesView:
    """Book a series, all of it or (`conflicts: skip`) all that is possible: confirmed at once, or one request."""
    wanted = form.wanted(new_id())

    async def work(session: AsyncSession) -> SeriesView:
        async def make() -> SeriesView:
            person = await queries.person_of(session, actor)
            made = await commands.book_series(session, wanted, by=person, limits=asking.limits, now=at.clock.now())
            return _made(made, asking.language)

        return await once(session, actor.id, form, SeriesView, make)

    return await at.db.run(work)


@router.get("/bookings/series/{series_id}")
async def get_series(series_id: UUID, actor: CurrentMember, at: At) -> SeriesView:
    """A series with its bookings, for the people concerned and coordinators."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        return await _view(session, series_id, person)


@router.post("/bookings/series/{series_id}/approve")
async def approve_series(series_id: UUID, actor: CurrentMember, at: At) -> SeriesView:
    """Say yes to all that waits of a series; each date is checked again."""

    async def work(session: AsyncSession) -> SeriesView:
        person = await queries.person_of(session, actor)
        await series_deciding.approve_series(session, series_id, by=person)
        return await _view(session, series_id, person)

    return await at.db.run(work)


@router.post("/bookings/series/{series_id}/decline")
async def decline_series(series_id: UUID, form: ReasonForm, actor: CurrentMember, at: At) -> SeriesView:
    """Say no to all that waits of a series."""

    async def work(session: AsyncSession) -> SeriesView:
        person = await queries.person_of(session, actor)
        await series_deciding.decline_series(session, series_id, reason=form.reason, by=person)
        return await _view(session, series_id, person)

    return await at.db.run(work)


@router.post("/bookings/series/{series_id}/change/{answer}")
async def answer_series_change(
    series_id: UUID, answer: Literal["accept", "refuse", "withdraw"], actor: CurrentMember, at: At, asking: Asking
) -> SeriesView:
    """Answer, once for all its dates, to the change that is asked for; or no longer ask (`withdraw`)."""

    async def work(session: AsyncSession) -> SeriesView:
        person = await queries.person_of(session, actor)
        if answer == "accept":
            await accept_series_change(session, series_id, by=person, days=asking.limits.days)
        else:
            await refuse_series_change(session, series_id, by=person, withdraw=answer == "withdraw")
        return await _view(session, series_id, person)

    return await at.db.run(work)


def _made(made: Made, reads: Language) -> SeriesView:
    conflicts = conflict_views(made.conflicts, reads)
    return series_view(made.series, made.bookings, mine=True, may_decide=False, conflicts=conflicts)


async def _view(session: AsyncSession, series_id: UUID, person: Person) -> SeriesView:
    found, its = await queries.series_of(session, series_id), await queries.bookings_of_series(session, series_id)
    if found is None or not its or not may_read(its[0], person):
        raise NotFound
    how = (await queries.deciding_of(session, {found.offer_id})).get(found.offer_id, queries.Deciding())
    waiting = [one for one in its if one.status == "pending"]
    decides = bool(waiting) and all(may_decide(one, person, how.approval) for one in waiting)
    asked = await queries.changes_of(session, [one.id for one in its])
    change = series_change_view([(one, asked[one.id]) for one in its if one.id in asked], person, how.approval)
    mine = found.borrower_member_id == person.id
    return series_view(found, its, mine=mine, may_decide=decides, conflicts=[], change=change)

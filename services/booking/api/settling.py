"""What changes underneath bookings: looking before, and settling what no longer fits."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At, Settings, view_all
from services.booking.api.forms import ResourceForm
from services.booking.api.texts import Instant, ShortText
from services.booking.commands import settling as commands
from services.booking.commands.settling import Cancelling, Choices, Concerned, Moving
from services.booking.domain.deciding import Person
from services.booking.domain.spans import Span
from services.booking.settling_views import (
    AffectedView,
    FailedView,
    PreviewView,
    SettledView,
    UpcomingView,
    reasons_in,
)
from services.chassis.auth import CurrentMember
from services.chassis.idempotency import OnceDep
from services.chassis.problems import Language, language_of

router = APIRouter(tags=["settling"])
_MOST = 500


def _language(request: Request, settings: Settings) -> Language:
    return language_of(request.headers.get("accept-language"), settings.locale)


ReadersLanguage = Annotated[Language, Depends(_language)]


class CancelForm(BaseModel):
    """A booking to call off, with a word for the person."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    reason: ShortText = ""


class MoveForm(BaseModel):
    """A booking to propose `[start, end)` for."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    start: Instant
    end: Instant
    note: ShortText = ""


class SettleForm(BaseModel):
    """What was chosen for each booking; with `rules`, these become the rules of the resource in the same step."""

    model_config = ConfigDict(extra="forbid")

    rules: ResourceForm | None = None
    keep: list[UUID] = Field(default=[], max_length=_MOST)
    cancel: list[CancelForm] = Field(default=[], max_length=_MOST)
    move: list[MoveForm] = Field(default=[], max_length=_MOST)

    def choices(self) -> Choices:
        """As the command takes them."""
        return Choices(
            keep=self.keep,
            cancel=[Cancelling(booking_id=one.id, reason=one.reason or None) for one in self.cancel],
            move=[Moving(booking_id=one.id, period=Span(one.start, one.end), note=one.note) for one in self.move],
        )


@router.post("/resources/{offer_id}/preview")
async def preview(
    offer_id: UUID, form: ResourceForm, actor: CurrentMember, at: At, language: ReadersLanguage
) -> PreviewView:
    """Which bookings to come would no longer fit these rules, and why. Changes nothing."""
    async with at.db.reading() as session:
        person, now = await queries.person_of(session, actor), at.clock.now()
        offer = await commands.editable(session, offer_id, person)
        found = await commands.concerned(session, offer, form.conditions(), by=person, now=now)
        affected = await affected_views(session, [one for one in found if one.why], person, language, now)
        _, peak = await queries.above(session, offer_id, form.capacity)
        return PreviewView(affected=affected, blocked=peak > form.capacity)


@router.get("/resources/{offer_id}/upcoming")
async def upcoming(offer_id: UUID, actor: CurrentMember, at: At, language: ReadersLanguage) -> UpcomingView:
    """All bookings to come, also of a withdrawn offer or a closed resource, with what speaks against each."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        return await _upcoming(session, offer_id, person, language, at.clock.now())


@router.post("/resources/{offer_id}/settle")
async def settle(
    offer_id: UUID, form: SettleForm, actor: CurrentMember, at: At, *, once: OnceDep, language: ReadersLanguage
) -> SettledView:
    """Keep, cancel or move bookings that no longer fit. What could not be done is told; the rest is done."""

    async def do(session: AsyncSession) -> SettledView:
        person, now = await queries.person_of(session, actor), at.clock.now()
        conditions = form.rules.conditions() if form.rules is not None else None
        failed = await commands.settle(session, offer_id, form.choices(), conditions=conditions, by=person, now=now)
        left = await _upcoming(session, offer_id, person, language, now)
        told = [FailedView(id=one.booking_id, problem=one.problem.body(language, "")) for one in failed]
        return SettledView(**dict(left), failed=told)

    async def work(session: AsyncSession) -> SettledView:
        return await once(session, actor.id, form, SettledView, lambda: do(session))

    return await at.db.run(work)


async def _upcoming(
    session: AsyncSession, offer_id: UUID, person: Person, language: Language, now: datetime
) -> UpcomingView:
    offer = await commands.editable(session, offer_id, person)
    found = await commands.concerned(session, offer, None, by=person, now=now)
    resource = await queries.resource(session, offer_id)
    return UpcomingView(
        offer_id=offer_id,
        offer_title=offer.title,
        time_zone=resource.rules.time_zone if resource is not None else "UTC",
        items=await affected_views(session, found, person, language, now),
        to_settle=sum(1 for one in found if one.why and not one.is_kept),
    )


async def affected_views(
    session: AsyncSession, found: list[Concerned], person: Person, language: Language, now: datetime
) -> list[AffectedView]:
    """Those bookings as `person` sees them, with the reasons in that language."""
    views = await view_all(session, [one.booking for one in found], person, now)
    return [
        AffectedView(
            booking=view,
            reasons=reasons_in(language, one.why),
            kept=one.is_kept,
            may_move=view.may_change,
            may_end=view.may_cancel or view.may_decide,
        )
        for one, view in zip(found, views, strict=True)
    ]

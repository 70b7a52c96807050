"""A member's calendar elsewhere, and which of their offers follow it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.calendar_forms import (
    CalendarForm,
    CalendarView,
    FollowForm,
    FollowView,
    calendar_view,
    follow_view,
)
from services.booking.commands import external
from services.booking.domain.problems import OfferUnknown
from services.booking.sealing import Sealer
from services.booking.settings import BookingSettings
from services.chassis.auth import Actor, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import Language, NotAllowed, language_of

router = APIRouter(tags=["calendars"])


@dataclass(frozen=True)
class Keeping:
    """What is needed to keep an address: the settings, and what seals it."""

    settings: BookingSettings
    sealer: Sealer


def _keeping_of(request: Request) -> Keeping:
    return Keeping(request.app.state.settings, request.app.state.sealer)


def _language_of(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


KeepingDep = Annotated[Keeping, Depends(_keeping_of)]
LanguageDep = Annotated[Language, Depends(_language_of)]


@router.get("/my/calendar")
async def get_calendar(actor: CurrentMember, db: DatabaseDep, language: LanguageDep) -> CalendarView:
    """My calendar elsewhere and how reading it went; `given` false when there is none."""
    async with db.reading() as session:
        person = await queries.person_of(session, actor)
        return calendar_view(await queries.external_of(session, person.id), language)


@router.put("/my/calendar")
async def put_calendar(
    form: CalendarForm, actor: CurrentMember, db: DatabaseDep, keeping: KeepingDep, language: LanguageDep
) -> CalendarView:
    """Give the address of my calendar elsewhere. Its busy times block those of my offers that follow it."""
    address, host = form.checked(allow_private=keeping.settings.booking_calendar_allow_private)
    zone = form.zone_or(keeping.settings.time_zone)

    async def work(session: AsyncSession) -> CalendarView:
        person = await queries.person_of(session, actor)
        sealed, now = keeping.sealer.seal(person.id, address), await queries.database_time(session)
        await external.give_calendar(session, person.id, address=sealed, host=host, time_zone=zone, now=now)
        return calendar_view(await queries.external_of(session, person.id), language)

    return await db.run(work)


@router.delete("/my/calendar", status_code=204)
async def delete_calendar(actor: CurrentMember, db: DatabaseDep) -> None:
    """Forget my calendar elsewhere; it blocks nothing any more."""

    async def work(session: AsyncSession) -> None:
        person = await queries.person_of(session, actor)
        await external.take_back_calendar(session, person.id)

    await db.run(work)


@router.get("/resources/{offer_id}/calendar")
async def get_follow(offer_id: UUID, actor: CurrentMember, db: DatabaseDep) -> FollowView:
    """Whether an offer of mine follows my calendar, and whether it can."""
    async with db.reading() as session:
        return await _follow_view(session, offer_id, actor)


@router.put("/resources/{offer_id}/calendar")
async def put_follow(
    offer_id: UUID, form: FollowForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> FollowView:
    """Let an offer of my own time follow my calendar, or not any more."""

    async def work(session: AsyncSession) -> FollowView:
        person = await queries.person_of(session, actor)
        await external.follow_calendar(session, offer_id, follows=form.follows_calendar, by=person, now=clock.now())
        return await _follow_view(session, offer_id, actor)

    return await db.run(work)


async def _follow_view(session: AsyncSession, offer_id: UUID, actor: Actor) -> FollowView:
    person = await queries.person_of(session, actor)
    offer = await queries.offer(session, offer_id)
    if offer is None:
        raise OfferUnknown
    if offer.owner_member_id != person.id:
        raise NotAllowed
    given = await queries.external_of(session, person.id) is not None
    return follow_view(offer, follows=await queries.follows(session, offer_id, person.id), given=given)

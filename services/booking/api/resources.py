"""How offers can be booked, and when."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At
from services.booking.api.forms import ResourceForm
from services.booking.api.settling import ReadersLanguage, affected_views
from services.booking.commands import resources as commands
from services.booking.commands import settling
from services.booking.commands.resources import may_edit
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.resources import Resource
from services.booking.settling_views import SavedResourceView
from services.booking.views import ResourceView, resource_view
from services.chassis.auth import Actor, CurrentMember, MaybeMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep

router = APIRouter(tags=["resources"])

Origin = Annotated[str | None, Query(max_length=200, min_length=1)]


@router.put("/resources/{offer_id}")
async def put_resource(
    offer_id: UUID, form: ResourceForm, actor: CurrentMember, at: At, language: ReadersLanguage
) -> SavedResourceView:
    """Make an offer bookable, or change its rules; `affected`: the bookings to come that do not fit them."""

    async def work(session: AsyncSession) -> SavedResourceView:
        person, now = await queries.person_of(session, actor), at.clock.now()
        await commands.put_resource(session, offer_id, form.conditions(), by=person, now=now)
        offer = await settling.editable(session, offer_id, person)
        found = [one for one in await settling.concerned(session, offer, None, by=person, now=now) if one.why]
        saved = await _view(session, offer_id, None, actor, now)
        return SavedResourceView(**dict(saved), affected=await affected_views(session, found, person, language, now))

    return await at.db.run(work)


@router.post("/resources/{offer_id}/close")
async def close_resource(offer_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> ResourceView:
    """Take no new bookings; what is booked stays."""

    async def work(session: AsyncSession) -> ResourceView:
        person = await queries.person_of(session, actor)
        await commands.close_resource(session, offer_id, by=person, now=clock.now())
        return await _view(session, offer_id, None, actor, clock.now())

    return await db.run(work)


@router.get("/resources/{offer_id}")
async def get_resource(
    offer_id: UUID, actor: MaybeMember, db: DatabaseDep, clock: ClockDep, origin: Origin = None
) -> ResourceView:
    """The rules of a resource, ours or (`origin`) a peer's."""
    async with db.reading() as session:
        return await _view(session, offer_id, origin, actor, clock.now())


async def _view(
    session: AsyncSession, offer_id: UUID, origin: str | None, actor: Actor | None, now: datetime
) -> ResourceView:
    offer, resource, person = await _seen(session, offer_id, origin, actor, now)
    editing = may_edit(offer, person)
    upcoming = await queries.upcoming(session, offer_id, now) if editing else None
    return resource_view(resource, offer, may_edit=editing, upcoming=upcoming, for_member=person is not None)


async def _seen(
    session: AsyncSession, offer_id: UUID, origin: str | None, actor: Actor | None, now: datetime
) -> tuple[Offer, Resource, Person | None]:
    """Offer and resource, for who may see them; a withdrawn one of ours for who may edit it.

    Raises OfferUnknown, NotBookable.
    """
    person = await queries.person_of(session, actor) if actor else None
    offer = await queries.offer(session, offer_id, origin)
    if offer is None or not (may_see(offer, person, now) or may_edit(offer, person)):
        raise OfferUnknown
    resource = await queries.resource(session, offer_id, origin)
    if resource is None:
        raise NotBookable
    return offer, resource, person

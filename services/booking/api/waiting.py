"""Waiting for a period that is taken."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At, Settings, view_of
from services.booking.api.texts import Instant, ShortText
from services.booking.commands import waiting as commands
from services.booking.commands.book import Wanted
from services.booking.commands.resources import may_edit
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.problems import OfferUnknown
from services.booking.domain.spans import Span
from services.booking.domain.waiting import OPEN_WISHES, Entry
from services.booking.queries.waiting import placed, wishes_of
from services.booking.tables import waiting
from services.booking.views import BookingView
from services.booking.waiting_views import WaitingView, waiting_view
from services.chassis.auth import CurrentMember
from services.chassis.idempotency import OnceDep
from services.chassis.ids import new_id
from services.chassis.paging import Page
from services.chassis.problems import NotFound

router = APIRouter(tags=["waiting"])
_SHOWN_AFTER = timedelta(days=7)
"""How long what came to nothing is still shown."""


class WaitingForm(BaseModel):
    """Wait for `quantity` during `[start, end)` of one of our offers (`origin`: a peer's cannot be waited for)."""

    model_config = ConfigDict(extra="forbid")

    offer_id: UUID
    origin: str | None = Field(default=None, max_length=200, min_length=1)
    start: Instant
    end: Instant
    quantity: int = Field(default=1, ge=1, le=10_000)
    note: ShortText = ""


class NothingMore(BaseModel):
    """A request whose address says it all."""

    model_config = ConfigDict(extra="forbid")


@router.post("/waiting", status_code=201)
async def join(form: WaitingForm, actor: CurrentMember, at: At, once: OnceDep, settings: Settings) -> WaitingView:
    """Wait for a period that is taken. Whoever comes first is offered it first, when it becomes free."""
    waiting_id = new_id()

    async def work(session: AsyncSession) -> WaitingView:
        async def make() -> WaitingView:
            person = await queries.person_of(session, actor)
            wanted = Wanted(
                id=waiting_id,
                offer_id=form.offer_id,
                period=Span(form.start, form.end),
                quantity=form.quantity,
                note=form.note,
            )
            patience = commands.Patience(
                most=settings.booking_wishes_per_member,
                accept_minutes=max(round(settings.booking_accept_hours * 60), 1),
            )
            now = at.clock.now()
            entry = await commands.join(session, wanted, origin=form.origin, patience=patience, by=person, now=now)
            return await _view(session, entry, person)

        return await once(session, actor.id, form, WaitingView, make)

    return await at.db.run(work)


@router.get("/waiting")
async def list_mine(actor: CurrentMember, at: At) -> Page[WaitingView]:
    """What this member waits for, with the positions, and what came to nothing in the last days."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        mine = await wishes_of(session, person.id, since=at.clock.now() - _SHOWN_AFTER)
        return Page(items=[waiting_view(one, mine=True, named=True) for one in mine])


@router.get("/waiting/{waiting_id}")
async def get_one(waiting_id: UUID, actor: CurrentMember, at: At) -> WaitingView:
    """One wish, for its member, the owner of the offer and coordinators."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        found = await placed(session, waiting.c.id == waiting_id)
        entry = found[0].entry if found else None
        offer = await queries.offer(session, entry.offer_id) if entry is not None else None
        if entry is None:
            raise NotFound
        if entry.member_id != person.id and (offer is None or not await _may_know(session, offer, person)):
            raise NotFound
        return waiting_view(found[0], mine=entry.member_id == person.id, named=True)


@router.post("/waiting/{waiting_id}/accept", status_code=201)
async def accept(waiting_id: UUID, actor: CurrentMember, at: At, once: OnceDep, settings: Settings) -> BookingView:
    """Take the place that is offered: confirmed, or pending where somebody must say yes."""
    booking_id = new_id()

    async def work(session: AsyncSession) -> BookingView:
        async def make() -> BookingView:
            person, now = await queries.person_of(session, actor), at.clock.now()
            limit = settings.booking_pending_per_member
            booked = await commands.accept(session, waiting_id, booking_id=booking_id, by=person, limit=limit, now=now)
            return await view_of(session, booked, person, now)

        return await once(session, actor.id, NothingMore(), BookingView, make)

    return await at.db.run(work)


@router.post("/waiting/{waiting_id}/leave")
async def leave(waiting_id: UUID, actor: CurrentMember, at: At) -> WaitingView:
    """Wait no more; a place that was offered goes to the next."""

    async def work(session: AsyncSession) -> WaitingView:
        person = await queries.person_of(session, actor)
        return await _view(session, await commands.leave(session, waiting_id, by=person, now=at.clock.now()), person)

    return await at.db.run(work)


@router.get("/resources/{offer_id}/waiting")
async def list_of_resource(offer_id: UUID, actor: CurrentMember, at: At) -> Page[WaitingView]:
    """Who waits for this resource, in order: with names for the owner and coordinators, without for others."""
    async with at.db.reading() as session:
        person, now = await queries.person_of(session, actor), at.clock.now()
        offer = await queries.offer(session, offer_id)
        if offer is None or not (may_edit(offer, person) or may_see(offer, person, now)):
            raise OfferUnknown
        which = waiting.c.status.in_(OPEN_WISHES)
        found = await placed(session, (waiting.c.offer_id == offer_id) & which & (waiting.c.starts_at > now))
        named = await _may_know(session, offer, person)
        return Page(items=[waiting_view(one, mine=one.entry.member_id == person.id, named=named) for one in found])


async def _view(session: AsyncSession, entry: Entry, person: Person) -> WaitingView:
    await session.flush()
    (found,) = await placed(session, waiting.c.id == entry.id)
    return waiting_view(found, mine=entry.member_id == person.id, named=True)


async def _may_know(session: AsyncSession, offer: Offer, person: Person) -> bool:
    """Whether this person sees who waits: the owner, and coordinators where bookings are not private."""
    resource = await queries.resource(session, offer.id)
    if resource is not None and resource.terms.private:
        return person.id == offer.owner_member_id
    return may_edit(offer, person)

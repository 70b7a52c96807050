"""Asking, deciding, cancelling; and lists of bookings."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Status
from services.booking import listing, queries
from services.booking.api.edge import At, Settings, first_view, new_view, view_all, view_of, with_dates_that_wait
from services.booking.api.forms import BookingForm, CancelForm, Instant, ReasonForm
from services.booking.commands import book as booking_commands
from services.booking.commands import decide
from services.booking.commands.series_deciding import cancel_in_series
from services.booking.domain.deciding import may_read
from services.booking.domain.spans import Span
from services.booking.views import BookingView
from services.chassis.auth import CurrentMember
from services.chassis.idempotency import OnceDep
from services.chassis.ids import new_id
from services.chassis.paging import Page
from services.chassis.problems import NotFound

router = APIRouter(tags=["bookings"])


@router.post("/bookings", status_code=201)
async def create_booking(
    form: BookingForm, actor: CurrentMember, at: At, once: OnceDep, settings: Settings
) -> BookingView:
    """Book a period: confirmed at once, or pending until the owner, a coordinator or the peer has answered."""
    wanted = booking_commands.Wanted(
        id=new_id(),
        offer_id=form.offer_id,
        period=Span(form.start, form.end),
        quantity=form.quantity,
        note=form.note,
        circle_id=form.circle_id,
        hold_id=form.hold_id,
    )
    limit, now = settings.booking_pending_per_member, at.clock.now()
    if form.origin is None and not once.is_keyed and not actor.is_coordinator:  # what they do is put on the trail
        made = await at.together.book(wanted, by=actor, limit=limit, now=now)
        if made is not None:
            return new_view(made.booking, made.person, made.how, now)

    async def work(session: AsyncSession) -> BookingView:
        async def make() -> BookingView:
            person = await queries.person_of(session, actor)
            if (made := await queries.booking(session, wanted.id)) is not None:  # together, and the answer was lost
                return await view_of(session, made, person, now)
            booked = await booking_commands.book(session, wanted, origin=form.origin, by=person, limit=limit, now=now)
            return await first_view(session, booked, person, now)

        return await once(session, actor.id, form, BookingView, make)

    return await at.db.run(work)


class ListQuery(BaseModel):
    """Which bookings. `from`: those that end after it. `by_series`: of what waits of one series, the first."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["borrower", "owner", "to_decide", "orphaned"] = "borrower"
    status: list[Status] = []
    from_: Instant | None = Field(default=None, alias="from")
    offer_id: UUID | None = None
    by_series: bool = False
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=50, ge=1, le=200)


@router.get("/bookings")
async def list_bookings(actor: CurrentMember, at: At, query: Annotated[ListQuery, Query()]) -> Page[BookingView]:
    """Bookings of this person: asked for, of their offers, or waiting for their decision (on a request or a change).

    For coordinators also `orphaned`: those to come of offers whose owner has left.

    With `from`: those that end after it, the next one first. Without: the latest first.
    """
    now = at.clock.now()
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        wanted = listing.Filter(
            role=query.role,
            statuses=query.status,
            ends_after=query.from_,
            offer_id=query.offer_id,
            by_series=query.by_series,
        )
        found = await listing.page(session, person, wanted, cursor=query.cursor, limit=query.limit, now=now)
        shown = await view_all(session, found.items, person, now)
        return Page(items=await with_dates_that_wait(session, shown) if query.by_series else shown, next=found.next)


@router.get("/bookings/{booking_id}")
async def get_booking(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """One booking, for the people concerned and coordinators."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        booking = await queries.booking(session, booking_id)
        if booking is None or not may_read(booking, person):
            raise NotFound
        return await view_of(session, booking, person, at.clock.now())


@router.post("/bookings/{booking_id}/approve")
async def approve_booking(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """Say yes to a request; its rules are checked again."""

    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        booking = await decide.approve(session, booking_id, by=person)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)


@router.post("/bookings/{booking_id}/decline")
async def decline_booking(booking_id: UUID, form: ReasonForm, actor: CurrentMember, at: At) -> BookingView:
    """Say no to a request."""

    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        booking = await decide.decline(session, booking_id, reason=form.reason, by=person)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)


@router.post("/bookings/{booking_id}/cancel")
async def cancel_booking(booking_id: UUID, form: CancelForm, actor: CurrentMember, at: At) -> BookingView:
    """Call a booking off, or several of its series. At a peer's resource it is `cancelling` until the peer answers."""

    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        now, reason = at.clock.now(), form.reason
        if form.scope == "this":
            booking = await decide.cancel(session, booking_id, reason=reason, by=person, now=now)
        else:
            booking = await cancel_in_series(session, booking_id, scope=form.scope, reason=reason, by=person, now=now)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)

"""Holding a period while a form is open; changing a booking that is made."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At, Settings, view_of
from services.booking.api.forms import ChangeForm, HoldForm
from services.booking.api.series import Asking
from services.booking.commands import changing, holding
from services.booking.commands.book import Wanted
from services.booking.commands.changing import WantedChange
from services.booking.commands.series_changing import WantedMove, move_series
from services.booking.domain.occurrences import Conflict
from services.booking.domain.spans import Span
from services.booking.series_views import ChangedView, conflict_views
from services.booking.views import BookingView
from services.chassis.auth import CurrentMember
from services.chassis.idempotency import OnceDep
from services.chassis.ids import new_id

router = APIRouter(tags=["bookings"])


@router.post("/holds", status_code=201)
async def hold(form: HoldForm, actor: CurrentMember, at: At, once: OnceDep, settings: Settings) -> BookingView:
    """Keep a period while the form is open; replaces this member's earlier hold. It ends at `decide_by` by itself."""
    hold_id = new_id()

    async def make(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        wanted = Wanted(
            id=hold_id, offer_id=form.offer_id, period=Span(form.start, form.end), quantity=form.quantity, note=""
        )
        lasts, now = timedelta(minutes=settings.booking_hold_minutes), at.clock.now()
        held = await holding.hold(session, wanted, by=person, lasts=lasts, now=now)
        return await view_of(session, held, person, now)

    async def work(session: AsyncSession) -> BookingView:
        return await once(session, actor.id, form, BookingView, lambda: make(session))

    return await at.db.run(work)


@router.delete("/holds/{hold_id}", status_code=204)
async def release(hold_id: UUID, actor: CurrentMember, at: At) -> Response:
    """Give a hold back; also when it is gone already."""

    async def work(session: AsyncSession) -> None:
        await holding.release(session, by=await queries.person_of(session, actor), hold_id=hold_id)

    await at.db.run(work)
    return Response(status_code=204)


@router.put("/bookings/{booking_id}/change")
async def ask_change(booking_id: UUID, form: ChangeForm, actor: CurrentMember, at: At, asking: Asking) -> ChangedView:
    """Ask for another period or quantity. At once where nobody must be asked, else the answer is `change`.

    With a `scope`, the following bookings of the series or all go with it, at once or not at all.
    """

    async def work(session: AsyncSession) -> ChangedView:
        person, now = await queries.person_of(session, actor), at.clock.now()
        wanted = WantedChange(period=Span(form.start, form.end), quantity=form.quantity, note=form.note)
        stay: list[Conflict] = []
        if form.scope == "this":
            booking = await changing.ask_change(session, booking_id, wanted, by=person, now=now)
        else:
            skip = form.conflicts == "skip"
            move = WantedMove(change=wanted, scope=form.scope, skip=skip, days=asking.limits.days)
            booking, stay = await move_series(session, booking_id, move, by=person, now=now)
        view = await view_of(session, booking, person, now)
        return ChangedView(**dict(view), not_moved=conflict_views(stay, asking.language))

    return await at.db.run(work)


@router.post("/bookings/{booking_id}/change/accept")
async def accept_change(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """Say yes: the booking has its new period."""

    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        booking = await changing.accept_change(session, booking_id, by=person)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)


@router.post("/bookings/{booking_id}/change/refuse")
async def refuse_change(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """Say no: the booking stays as it is."""
    return await _no_change(booking_id, actor, at, withdraw=False)


@router.post("/bookings/{booking_id}/change/withdraw")
async def withdraw_change(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """No longer ask for it."""
    return await _no_change(booking_id, actor, at, withdraw=True)


async def _no_change(booking_id: UUID, actor: CurrentMember, at: At, *, withdraw: bool) -> BookingView:
    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        booking = await changing.refuse_change(session, booking_id, by=person, withdraw=withdraw)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)

"""Changing period or quantity: a request of its own. The booking keeps what it has until it is decided, then swaps."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.changing_abroad import ask_peer_to_change, ask_peer_to_forget_change
from services.booking.commands.decide import approval_of, forget_change, readable
from services.booking.commands.expiring import expire_in_the_way
from services.booking.commands.handing_out import hand_out
from services.booking.commands.proposals import answer_proposal
from services.booking.commands.quotas import check_quotas
from services.booking.commands.refusing import taken
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change, check_may_answer, check_may_change, decided_at_once
from services.booking.domain.deciding import Offer, Person
from services.booking.domain.limits import NoChangeAsked
from services.booking.domain.problems import NotBookable, OfferUnknown, Recovering
from services.booking.domain.requests import check_request, decide_by, is_free
from services.booking.domain.series_problems import AnsweredTogether
from services.booking.domain.spans import Span
from services.booking.domain.states import Side
from services.booking.resources import Resource
from services.booking.tables import changes


@dataclass(frozen=True, kw_only=True)
class WantedChange:
    """What the booking should become."""

    period: Span
    quantity: int
    note: str = ""


async def ask_change(
    session: AsyncSession, booking_id: UUID, wanted: WantedChange, *, by: Person, now: datetime
) -> Booking:
    """Ask to move a booking, or move it at once where the rules ask nobody. An earlier wish is replaced.

    The borrower asks the owner (or the peer whose resource it is), the owner asks the borrower. Raises NotFound,
    CannotChange, InvalidFields, ResourceIsTaken, QuotaReached, LinkNotOpen.
    """
    booking = await readable(session, booking_id, by)
    check_may_change(booking, by, now)
    if booking.is_ours:
        await move_or_ask(session, booking, wanted, by_owner=booking.borrower_member_id != by.id, name=by.name, now=now)
    else:
        await ask_peer_to_change(
            session, booking, wanted.period, quantity=wanted.quantity, text=wanted.note, by=by, now=now
        )
    return booking


async def move_or_ask(
    session: AsyncSession, booking: Booking, wanted: WantedChange, *, by_owner: bool, name: str | None, now: datetime
) -> None:
    """Move a booking of ours at once, or keep the wish until the other side has decided.

    `name`: of who asks, where it is one of us. Raises InvalidFields, ResourceIsTaken, QuotaReached.
    """
    resource, offer = await _locked(session, booking)
    await forget_change(session, booking)
    await _check_fits(session, booking, wanted, (resource, offer), now=now)
    if decided_at_once(booking, wanted.period, wanted.quantity, approval=resource.approval, by_owner=by_owner):
        await _swap(session, booking, wanted, resource, by="borrower", name=name)
        return
    change = Change(
        period=wanted.period,
        quantity=wanted.quantity,
        note=wanted.note,
        by_owner=by_owner,
        decide_by=min(decide_by(resource.rules, wanted.period, now), booking.starts_at),
    )
    await _keep(session, booking, change, resource.rules.occupied(wanted.period), now)
    await tell(session, booking, booking.change_asked(change.state(), now=now), by=name, what="change_asked")
    await busy_changed_by(session, [booking])


async def accept_change(session: AsyncSession, booking_id: UUID, *, by: Person) -> Booking:
    """Say yes: the booking takes its new period in one step. Raises NotFound, NoChangeAsked, NotYourDecision, ...."""
    booking, change, now = await _waiting(session, booking_id, by)
    if booking.is_ours:
        await take_new_period(session, booking, change, name=by.name, now=now)
    else:
        await answer_proposal(session, booking, change, accepted=True, by=by, now=now)
    return booking


async def take_new_period(
    session: AsyncSession, booking: Booking, change: Change, *, name: str | None, now: datetime
) -> None:
    """The other side has agreed to `change`: a booking of ours moves, if it can still be.

    `name`: of who agreed, where it is one of us. Raises InvalidFields, ResourceIsTaken, QuotaReached, Recovering.
    """
    resource, offer = await _locked(session, booking)
    await forget_change(session, booking)
    wanted = WantedChange(period=change.period, quantity=change.quantity)
    await _check_fits(session, booking, wanted, (resource, offer), now=now)
    await _swap(session, booking, wanted, resource, by="owner" if change.by_owner else "borrower", name=name)


async def refuse_change(session: AsyncSession, booking_id: UUID, *, by: Person, withdraw: bool = False) -> Booking:
    """Say no, or (`withdraw`) no longer ask: the booking stays. Raises NotFound, NoChangeAsked, ...."""
    booking, change, now = await _waiting(session, booking_id, by, withdraw=withdraw)
    if not booking.is_ours:
        if withdraw:
            await ask_peer_to_forget_change(session, booking, change, by=by, now=now)
        else:
            await answer_proposal(session, booking, change, accepted=False, by=by, now=now)
        return booking
    await forget_change(session, booking)
    what = "change_withdrawn" if withdraw else "change_refused"
    side = _side(booking, by)
    await tell(session, booking, booking.change_refused(by=side, now=now), by=by.name, what=what)
    await busy_changed_by(session, [booking])
    return booking


async def _waiting(
    session: AsyncSession, booking_id: UUID, by: Person, *, withdraw: bool = False
) -> tuple[Booking, Change, datetime]:
    booking = await readable(session, booking_id, by)
    change = (await queries.changes_of(session, [booking_id])).get(booking_id)
    if change is None:
        raise NoChangeAsked
    if change.together is not None:
        raise AnsweredTogether(series_id=str(booking.series_id))
    check_may_answer(booking, change, by, await approval_of(session, booking), withdraw=withdraw)
    return booking, change, await queries.database_time(session)


async def _locked(session: AsyncSession, booking: Booking) -> tuple[Resource, Offer]:
    """Resource and offer; the resource locked, so that what is seen of its bookings holds until the end.

    What has become free goes to those who wait for it, before a booking may move there. Raises Recovering.
    """
    await hand_out(session, booking.offer_id)
    resource, offer = (
        await queries.resource(session, booking.offer_id),
        await queries.offer(session, booking.offer_id),
    )
    if resource is None:
        raise NotBookable
    if offer is None:
        raise OfferUnknown
    if resource.recovering:
        raise Recovering
    return resource, offer


async def _check_fits(
    session: AsyncSession, booking: Booking, wanted: WantedChange, of: tuple[Resource, Offer], *, now: datetime
) -> None:
    resource, offer = of
    check_request(resource.rules, wanted.period, quantity=wanted.quantity, now=now)
    as_wanted = booking.as_moved(wanted.period, wanted.quantity, resource.rules.occupied(wanted.period))
    await expire_in_the_way(session, as_wanted)
    around = search_window(wanted.period)
    occupied = await queries.occupied(session, booking.offer_id, around, excluding=booking.id)
    if not is_free(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now):
        raise await taken(session, offer, resource, as_wanted, by=None, now=now)
    await check_quotas(session, resource, as_wanted)


async def _keep(session: AsyncSession, booking: Booking, change: Change, occupied: Span, now: datetime) -> None:
    values = {
        "booking_id": booking.id,
        "offer_id": booking.offer_id,
        "starts_at": change.period.start,
        "ends_at": change.period.end,
        "occupied": occupied,
        "quantity": change.quantity,
        "note": change.note,
        "asked_by_owner": change.by_owner,
        "decide_by": change.decide_by,
        "asked_at": now,
    }
    await session.execute(sa.insert(changes).values(values))


async def _swap(
    session: AsyncSession, booking: Booking, wanted: WantedChange, resource: Resource, *, by: Side, name: str | None
) -> None:
    """The new period in place of the old one, in one statement that the database checks."""
    now = await queries.database_time(session)
    if booking.status == "pending" and booking.decide_by is not None:  # an earlier start leaves less time to decide
        booking.decide_by = min(booking.decide_by, decide_by(resource.rules, wanted.period, now))
    event = booking.move(wanted.period, wanted.quantity, resource.rules.occupied(wanted.period), by=by, now=now)
    await tell(session, booking, event, by=name, what="moved")
    await busy_changed_by(session, [booking])


def _side(booking: Booking, person: Person) -> Side:
    return "borrower" if booking.borrower_member_id == person.id else "owner"

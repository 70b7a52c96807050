"""Settling what changes underneath: bookings that no longer fit are kept, moved or cancelled, as people choose."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands import decide
from services.booking.commands.changing import WantedChange, ask_change
from services.booking.commands.resources import Conditions, may_edit, put_resource
from services.booking.commands.telling import note
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_read
from services.booking.domain.eligibility import Asking
from services.booking.domain.limits import CannotChange
from services.booking.domain.problems import OfferUnknown
from services.booking.domain.spans import Span
from services.booking.domain.underneath import Misfit, misfits
from services.booking.queries.underneath import TO_COME, has_left, kept, to_come
from services.booking.queries.waiting import people
from services.chassis.problems import NotAllowed, NotFound, Problem


@dataclass(frozen=True, kw_only=True)
class Concerned:
    """A booking to come, why it no longer fits (empty: it does), and whether somebody chose to keep it all the same."""

    booking: Booking
    why: list[Misfit]
    is_kept: bool


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """A booking to call off, and why."""

    booking_id: UUID
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A booking to propose another period for."""

    booking_id: UUID
    period: Span
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What was chosen, booking by booking."""

    keep: list[UUID] = field(default_factory=list[UUID])
    cancel: list[Cancelling] = field(default_factory=list[Cancelling])
    move: list[Moving] = field(default_factory=list[Moving])


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A choice that could not be done, and what was in the way."""

    booking_id: UUID
    problem: Problem


async def upcoming(session: AsyncSession, offer_id: UUID, *, by: Person, now: datetime) -> list[Concerned]:
    """All bookings to come of our resource, with what speaks against each. Raises OfferUnknown, NotAllowed."""
    offer = await editable(session, offer_id, by)
    return await concerned(session, offer, None, by=by, now=now)


async def concerned(
    session: AsyncSession, offer: Offer, wanted: Conditions | None, *, by: Person, now: datetime
) -> list[Concerned]:
    """Bookings to come, as far as `by` may see them, under the conditions `wanted` or (None) those of the resource."""
    found = await to_come(session, offer.id, now)
    resource = await queries.resource(session, offer.id)
    if not found or (resource is None and wanted is None):
        return []
    always: list[Misfit] = []
    if wanted is None and resource is not None:
        rules, terms = resource.rules, resource.terms
        always = await _of_offer(session, offer, is_open=resource.is_open)
        kept_ids = await kept(session, offer.id)
    elif wanted is not None:
        rules, terms, kept_ids = wanted.rules, wanted.terms, set[UUID]()
    else:
        return []
    crowded, _ = await queries.above(session, offer.id, rules.capacity)
    found = [booking for booking in found if may_read(booking, by)]
    persons = await people(session, {one.borrower_member_id for one in found if one.borrower_member_id})
    result: list[Concerned] = []
    for booking in found:
        person = persons.get(booking.borrower_member_id) if booking.borrower_member_id else None
        asking = Asking(person=person, peer_id=booking.borrower_peer_id, owner_id=offer.owner_member_id)
        why = always + misfits(booking, rules, terms, asking, crowded=crowded)
        result.append(Concerned(booking=booking, why=why, is_kept=booking.id in kept_ids))
    return result


async def settle(
    session: AsyncSession,
    offer_id: UUID,
    choices: Choices,
    *,
    conditions: Conditions | None,
    by: Person,
    now: datetime,
) -> list[Failed]:
    """Do what was chosen, and (with `conditions`) change the rules of the resource between calling off and moving.

    What cannot be done is told and leaves the rest as chosen. Kept: noted in the history. Cancelled (a request:
    declined): the person is told, with the reason. Moved: the borrower is asked. Raises OfferUnknown, NotAllowed,
    CapacityBelowBooked (then nothing was done).
    """
    await editable(session, offer_id, by)
    doing = _Settling(session=session, offer_id=offer_id, by=by, now=now)
    for one in choices.cancel:
        await doing.try_to(one.booking_id, lambda booking, one=one: doing.cancel(booking, one.reason))
    if conditions is not None:
        await put_resource(session, offer_id, conditions, by=by, now=now)
    for moving in choices.move:
        await doing.try_to(moving.booking_id, lambda booking, moving=moving: doing.move(booking, moving))
    for booking_id in choices.keep:
        await doing.try_to(booking_id, doing.keep)
    return doing.failed


async def editable(session: AsyncSession, offer_id: UUID, by: Person) -> Offer:
    """Our offer, withdrawn or not, for its owner and coordinators. Raises OfferUnknown, NotAllowed."""
    offer = await queries.offer(session, offer_id)
    if offer is None:
        raise OfferUnknown
    if not may_edit(offer, by):
        raise NotAllowed
    return offer


async def _of_offer(session: AsyncSession, offer: Offer, *, is_open: bool) -> list[Misfit]:
    """What speaks against all bookings of an offer."""
    if await has_left(session, offer.owner_member_id):
        return ["owner_left"]
    if not offer.published:
        return ["withdrawn"]
    return [] if is_open else ["closed"]


@dataclass(kw_only=True)
class _Settling:
    session: AsyncSession
    offer_id: UUID
    by: Person
    now: datetime
    failed: list[Failed] = field(default_factory=list[Failed])

    async def try_to(self, booking_id: UUID, do: Callable[[Booking], Awaitable[None]]) -> None:
        """Do it, or remember what was in the way, with nothing done of it."""
        try:
            async with self.session.begin_nested():
                booking = await queries.booking(self.session, booking_id, lock=True)
                here = booking is not None and booking.offer_id == self.offer_id and booking.is_ours
                if booking is None or not here or not may_read(booking, self.by):
                    raise NotFound
                await do(booking)
        except Problem as problem:
            self.failed.append(Failed(booking_id=booking_id, problem=problem))

    async def cancel(self, booking: Booking, reason: str | None) -> None:
        if booking.status == "pending" and booking.borrower_member_id != self.by.id:
            await decide.decline(self.session, booking.id, reason=reason, by=self.by)
        else:
            await decide.cancel(self.session, booking.id, reason=reason, by=self.by, now=self.now)

    async def move(self, booking: Booking, moving: Moving) -> None:
        wanted = WantedChange(period=moving.period, quantity=booking.quantity, note=moving.note)
        await ask_change(self.session, booking.id, wanted, by=self.by, now=self.now)

    async def keep(self, booking: Booking) -> None:
        if booking.status not in TO_COME:
            raise CannotChange(booking_status=booking.status)
        await note(self.session, booking.id, "kept", at=self.now, by=self.by.name)

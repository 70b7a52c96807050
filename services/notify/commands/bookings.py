"""The life of a booking, told to those of ours who take part. A peer's people hear it from their own cooperative."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    BookingCancelled,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingMoved,
    BookingState,
    SeriesState,
)
from services.notify import domain
from services.notify.commands import disclosing, people, telling
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import bookings, resources

TO_DECIDE = "booking-to-decide"
CHANGE_TO_ANSWER = "booking-change-to-answer"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What was known of a booking when an event came: whether it was ever confirmed, whether it is heard of first."""

    was_confirmed: bool
    is_first: bool


async def requested(session: AsyncSession, booking: BookingState, *, now: datetime, quietly: bool = False) -> None:
    """Ask whoever decides (when it is ours to decide), and tell the borrower that the request is on its way.

    `quietly`, here and below: only remember it, for people hear of it with the rest of its series.
    """
    known = await _note(session, booking)
    if known is None or quietly:
        return
    asked = await (_second_deciders(session, booking, now=now) if booking.approvals else deciders(session, booking))
    borrower = borrower_of(booking) if known.is_first else frozenset[UUID]()
    to_decide = Told(message=_message(TO_DECIDE, Weight.IMPORTANT, booking), readers=asked)
    on_its_way = Told(message=_message("booking-asked", Weight.QUIET, booking), readers=borrower)
    await telling.tell(session, to_decide, on_its_way, now=now)


async def confirmed(session: AsyncSession, booking: BookingState, *, now: datetime, quietly: bool = False) -> None:
    """Tell both sides, with a calendar entry, and disclose our person's contact to a peer concerned.

    Once it is used: that somebody is there, or that it was not given back in time.
    """
    if not await _is_news(session, booking, confirmed=True):
        return
    if booking.status == "overdue":
        await _tell_both(session, booking, "booking-overdue", Weight.IMPORTANT, Weight.IMPORTANT, now=now)
        return
    if booking.status == "in_use":
        if booking.checked_out_at is None:
            await _tell_both(session, booking, "booking-in-use", Weight.QUIET, Weight.QUIET, now=now)
        return
    await telling.no_longer_ask(session, str(booking.id), TO_DECIDE, now=now)
    if quietly:
        return
    entry = {"calendar": domain.calendar_of("REQUEST", booking)}
    await _tell_both(session, booking, "booking-confirmed", Weight.IMPORTANT, Weight.IMPORTANT, now=now, extra=entry)
    await disclosing.disclose(session, booking, now=now)


async def moved(session: AsyncSession, event: BookingMoved, *, now: datetime) -> None:
    """Tell both sides the new period; what is agreed moves in their calendars, what waits is asked for anew."""
    booking, agreed = event.booking, event.booking.status == "confirmed"
    if not await _is_news(session, booking, confirmed=agreed):
        return
    await _settled(session, booking, now=now)
    if event.together is not None:  # its series tells once
        return
    if agreed:
        entry = {"calendar": domain.calendar_of("REQUEST", booking), "by": event.by}
        await _tell_both(session, booking, "booking-moved", Weight.IMPORTANT, Weight.IMPORTANT, now=now, extra=entry)
        return
    asked, borrower = await deciders(session, booking), borrower_of(booking)
    to_decide = Told(message=_message(TO_DECIDE, Weight.IMPORTANT, booking), readers=asked)
    on_its_way = Told(message=_message("booking-moved", Weight.QUIET, booking, {"by": event.by}), readers=borrower)
    await telling.tell(session, to_decide, on_its_way, now=now)


async def change_asked(session: AsyncSession, event: BookingChangeAsked, *, now: datetime) -> None:
    """Ask the side that has to answer; an earlier wish is replaced."""
    booking = event.booking
    if not await _is_news(session, booking):
        return
    await telling.no_longer_ask(session, str(booking.id), CHANGE_TO_ANSWER, now=now)
    if event.together is not None:  # its series asks once
        return
    asked = borrower_of(booking) if event.change.by_owner else await deciders(session, booking)
    message = _message(CHANGE_TO_ANSWER, Weight.IMPORTANT, booking, domain.change_facts(event.change))
    await telling.tell(session, Told(message=message, readers=asked), now=now)


async def change_refused(session: AsyncSession, event: BookingChangeRefused, *, now: datetime) -> None:
    """Tell the other side that the booking stays as it is."""
    booking = event.booking
    if not await _is_news(session, booking):
        return
    await telling.no_longer_ask(session, str(booking.id), CHANGE_TO_ANSWER, now=now)
    if event.together is not None:
        return
    extra = {"expired": event.expired}
    to_borrower = _message("booking-stays", Weight.IMPORTANT, booking, extra)
    to_owner = _message("booking-stays-owner", Weight.IMPORTANT, booking, extra)
    borrower = borrower_of(booking)
    told = [Told(message=to_borrower, readers=borrower), Told(message=to_owner, readers=owner_of(booking) - borrower)]
    silent = {"borrower": 0, "owner": 1}.get(event.by)
    await telling.tell(session, *(one for side, one in enumerate(told) if side != silent), now=now)


async def declined(session: AsyncSession, booking: BookingState, *, now: datetime, quietly: bool = False) -> None:
    """Tell the borrower."""
    if not await _is_news(session, booking):
        return
    await telling.no_longer_ask(session, str(booking.id), TO_DECIDE, now=now)
    if quietly:
        return
    message = _message("booking-declined", Weight.IMPORTANT, booking)
    await telling.tell(session, Told(message=message, readers=borrower_of(booking)), now=now)


async def cancellation_asked(session: AsyncSession, booking: BookingState, *, now: datetime) -> None:
    """Tell the borrower that the peer has yet to answer."""
    if not await _is_news(session, booking):
        return
    message = _message("booking-cancellation-asked", Weight.QUIET, booking)
    await telling.tell(session, Told(message=message, readers=borrower_of(booking)), now=now)


async def cancelled(session: AsyncSession, event: BookingCancelled, *, now: datetime, quietly: bool = False) -> None:
    """Tell both sides; whoever had it in a calendar gets it taken out, by whomever it was cancelled."""
    booking = event.booking
    known = await _note(session, booking)
    if known is None:
        return
    await _settled(session, booking, now=now)
    if quietly:
        return
    extra: dict[str, Any] = {"by": event.by, "was_confirmed": known.was_confirmed}
    if known.was_confirmed:
        extra["calendar"] = domain.calendar_of("CANCEL", booking)
    to_borrower = Weight.IMPORTANT if known.was_confirmed or event.by != "borrower" else Weight.QUIET
    to_owner = None if known.is_first else Weight.IMPORTANT if known.was_confirmed else Weight.QUIET
    await _tell_both(session, booking, "booking-cancelled", to_borrower, to_owner, now=now, extra=extra)


async def expired(session: AsyncSession, booking: BookingState, *, now: datetime, quietly: bool = False) -> None:
    """Tell both sides that nobody has decided in time."""
    if not await _is_news(session, booking):
        return
    await telling.no_longer_ask(session, str(booking.id), TO_DECIDE, now=now)
    if quietly:
        return
    await _tell_both(session, booking, "booking-expired", Weight.IMPORTANT, Weight.NEWS, now=now)


async def completed(session: AsyncSession, booking: BookingState, *, now: datetime) -> None:
    """Note in both inboxes that it is over; tell both when nobody came and the place is free again."""
    if not await _is_news(session, booking):
        return
    await telling.no_longer_ask(session, str(booking.id), "booking-overdue", now=now)
    await telling.no_longer_ask(session, str(booking.id), "booking-overdue-owner", now=now)
    if booking.status == "no_show":
        await _tell_both(session, booking, "booking-no-show", Weight.IMPORTANT, Weight.NEWS, now=now)
    else:
        await _tell_both(session, booking, "booking-completed", Weight.QUIET, Weight.QUIET, now=now)


async def warn_borrower(session: AsyncSession, booking: BookingState, template: str, *, now: datetime) -> None:
    """Tell the borrower alone something about what is agreed."""
    if await _is_news(session, booking, confirmed=True):
        message = _message(template, Weight.IMPORTANT, booking)
        await telling.tell(session, Told(message=message, readers=borrower_of(booking)), now=now)


async def _tell_both(
    session: AsyncSession,
    booking: BookingState,
    template: str,
    to_borrower: Weight,
    to_owner: Weight | None,
    *,
    now: datetime,
    extra: dict[str, Any] | None = None,
) -> None:
    """`to_owner` None: the owner has never heard of it and need not now."""
    borrower = borrower_of(booking)
    told = [Told(message=_message(template, to_borrower, booking, extra), readers=borrower)]
    if to_owner is not None:
        message = _message(f"{template}-owner", to_owner, booking, extra)
        told.append(Told(message=message, readers=owner_of(booking) - borrower))
    await telling.tell(session, *told, now=now)


def _message(template: str, weight: Weight, booking: BookingState, extra: dict[str, Any] | None = None) -> Message:
    return Message(
        template=template,
        weight=weight,
        about=About(type="booking", id=str(booking.id), origin=booking.resource_origin),
        url=f"/bookings/{booking.id}",
        facts=domain.booking_facts(booking) | (extra or {}),
    )


def borrower_of(booking: BookingState | SeriesState) -> frozenset[UUID]:
    """The borrower when it is one of ours."""
    member_id = booking.borrower.member_id
    return frozenset(() if member_id is None else (member_id,))


def owner_of(booking: BookingState | SeriesState) -> frozenset[UUID]:
    """The owner when it is one of ours."""
    member_id = booking.owner.member_id
    return frozenset(() if member_id is None or booking.owner.peer_id is not None else (member_id,))


async def deciders(session: AsyncSession, booking: BookingState | SeriesState) -> frozenset[UUID]:
    """Who is asked to decide on a request for an offer: nobody of ours where it is a peer's."""
    if isinstance(booking, BookingState) and booking.resource_origin is not None:
        return frozenset()
    query = sa.select(resources.c.approval).where(resources.c.offer_id == booking.offer_id)
    approval = (await session.execute(query)).scalar() or "owner"
    return domain.deciders(
        approval=approval,
        owner=booking.owner.member_id,
        borrower=booking.borrower.member_id,
        active=await people.not_left(session, owner_of(booking)),
        coordinators=frozenset[UUID]() if booking.private else await people.coordinators(session),
    )


async def _second_deciders(session: AsyncSession, booking: BookingState, *, now: datetime) -> frozenset[UUID]:
    """Who may say the second yes and was not asked yet; whoever has said the first is no longer asked."""
    about = str(booking.id)
    for reader in booking.approved_by:
        await telling.no_longer_ask(session, about, TO_DECIDE, now=now, of=reader)
    owner = await people.not_left(session, owner_of(booking))
    may = (frozenset(owner) | frozenset(await people.coordinators(session))) - borrower_of(booking)
    return may - frozenset(booking.approved_by) - await telling.asked(session, about, TO_DECIDE)


async def _settled(session: AsyncSession, booking: BookingState, *, now: datetime) -> None:
    """Nothing that was asked about it still waits for an answer."""
    for template in (TO_DECIDE, CHANGE_TO_ANSWER):
        await telling.no_longer_ask(session, str(booking.id), template, now=now)


async def _is_news(session: AsyncSession, booking: BookingState, *, confirmed: bool = False) -> bool:
    """Whether nothing newer was told of this booking: an event that was overtaken would mislead."""
    return await _note(session, booking, confirmed=confirmed) is not None


async def _note(session: AsyncSession, booking: BookingState, *, confirmed: bool = False) -> Known | None:
    """Remember this version. None when it, or a newer one, was told already (booking says a state again to peers)."""
    values = {"resource_origin": booking.resource_origin, "ends_at": booking.end}
    return await remember(session, booking, confirmed=confirmed, **values)


async def remember(
    session: AsyncSession, told: BookingState | SeriesState, *, confirmed: bool, **values: Any
) -> Known | None:
    """Remember that people were told of this version of a booking or series. None: of it, or a newer one, already."""
    new = insert(bookings).values(
        id=told.id,
        borrower_peer=told.borrower.peer_id or "",
        borrower_id=told.borrower.member_id,
        owner_id=told.owner.member_id,
        offer_title=told.offer_title,
        was_confirmed=confirmed,
        version=told.version,
        **values,
    )
    statement = new.on_conflict_do_update(
        index_elements=["id", "borrower_peer"],
        set_={
            "owner_id": new.excluded.owner_id,
            "was_confirmed": bookings.c.was_confirmed | new.excluded.was_confirmed,
            "version": new.excluded.version,
            "ends_at": new.excluded.ends_at,
        },
        where=bookings.c.version < new.excluded.version,
    ).returning(bookings.c.was_confirmed, sa.literal_column("xmax = 0", sa.Boolean).label("is_first"))
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Known(was_confirmed=row.was_confirmed, is_first=row.is_first)

"""What a move of several bookings of a series is, and its two ways: done in one step, or asked for in one step."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesChange, SeriesChangeAsked, SeriesDate, SeriesMoved
from services.booking.commands.telling import busy_changed_by
from services.booking.commands.together import stepping_aside, tell_series
from services.booking.domain.booking import Booking
from services.booking.domain.changing import Change, decided_at_once
from services.booking.domain.requests import decide_by
from services.booking.domain.series import Series, shared_out
from services.booking.domain.series_problems import MustAskOneByOne
from services.booking.domain.spans import Span
from services.booking.domain.states import Side
from services.booking.resources import Resource
from services.booking.tables import changes
from services.chassis.ids import new_id


@dataclass(frozen=True, kw_only=True)
class Move:
    """New `periods` for `bookings` of a series (in the same order), wished by the owner's side or the borrower."""

    series: Series
    bookings: list[Booking]
    periods: list[Span]
    quantity: int
    note: str
    by_owner: bool

    @property
    def side(self) -> Side:
        """Whose wish it is."""
        return "owner" if self.by_owner else "borrower"

    def asks_nobody(self, resource: Resource) -> bool:
        """Whether the other side need not agree to any of it."""
        return all(
            decided_at_once(booking, period, self.quantity, approval=resource.approval, by_owner=self.by_owner)
            for booking, period in zip(self.bookings, self.periods, strict=True)
        )


async def swap(session: AsyncSession, move: Move, resource: Resource, *, name: str, now: datetime) -> None:
    """Give all of them their new periods in one step, which the database checks. `name`: who did it."""
    async with stepping_aside(session, move.bookings):
        events = [
            booking.move(period, move.quantity, resource.rules.occupied(period), by=move.side, now=now)
            for booking, period in zip(move.bookings, move.periods, strict=True)
        ]
    move.series.become(None, now=now)
    as_one = partial(SeriesMoved, by=move.side)
    await tell_series(session, move.series, move.bookings, events, as_one=as_one, by=name, what="moved")
    await busy_changed_by(session, move.bookings)


async def ask(session: AsyncSession, move: Move, resource: Resource, *, name: str, now: datetime) -> None:
    """Keep the new periods beside the old ones until the other side has answered for all. Raises MustAskOneByOne."""
    first = min(booking.starts_at for booking in move.bookings)
    until = min(first, *(decide_by(resource.rules, period, now) for period in move.periods))
    together = new_id()
    wished = [
        Change(
            period=period,
            quantity=move.quantity,
            note=move.note,
            by_owner=move.by_owner,
            decide_by=until,
            together=together,
        )
        for period in move.periods
    ]
    await _keep(session, move, wished, resource, now)
    pairs = list(zip(move.bookings, wished, strict=True))
    events = [booking.change_asked(change.state(), now=now) for booking, change in pairs]
    move.series.become(None, now=now)
    dates = tuple(
        SeriesDate(
            booking_id=one.id, position=one.series_position or 0, start=change.period.start, end=change.period.end
        )
        for one, change in pairs
    )
    said = SeriesChange(by_owner=move.by_owner, quantity=move.quantity, note=move.note, decide_by=until, dates=dates)
    as_one = partial(SeriesChangeAsked, change=said)
    await tell_series(session, move.series, move.bookings, events, as_one=as_one, by=name, what="change_asked")
    await busy_changed_by(session, move.bookings)


async def _keep(session: AsyncSession, move: Move, wished: list[Change], resource: Resource, now: datetime) -> None:
    """A row for each booking. The database refuses what would be too much beside all that is kept."""
    old = [booking.occupied or booking.period for booking in move.bookings]
    places = shared_out(old, [resource.rules.occupied(period) for period in move.periods])
    rows = [
        {
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
            "together": change.together,
        }
        for booking, change, occupied in zip(move.bookings, wished, places, strict=True)
    ]
    try:
        async with session.begin_nested():
            await session.execute(sa.insert(changes), rows)
    except IntegrityError as error:
        raise MustAskOneByOne from error

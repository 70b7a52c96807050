"""A series, told once to each side; its bookings are remembered one by one (see `bookings`)."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    SeriesCancelled,
    SeriesChangeAsked,
    SeriesChangeRefused,
    SeriesDeclined,
    SeriesMoved,
    SeriesState,
)
from services.notify import domain
from services.notify.commands import telling
from services.notify.commands.bookings import Known, borrower_of, deciders, owner_of, remember
from services.notify.domain import About, Message, Told, Weight

TO_DECIDE = "series-to-decide"
CHANGE_TO_ANSWER = "series-change-to-answer"


async def requested(session: AsyncSession, series: SeriesState, *, now: datetime) -> None:
    """Ask whoever decides once for all, and tell the borrower that the request is on its way."""
    known = await _note(session, series)
    if known is None:
        return
    asked = Told(message=_message(TO_DECIDE, Weight.IMPORTANT, series), readers=await deciders(session, series))
    on_its_way = Told(message=_message("series-asked", Weight.QUIET, series), readers=borrower_of(series))
    await telling.tell(session, asked, *([on_its_way] if known.is_first else []), now=now)


async def confirmed(session: AsyncSession, series: SeriesState, *, now: datetime) -> None:
    """Tell both sides, with its dates for their calendars."""
    if await _is_news(session, series, now=now, confirmed=True):
        entry = domain.series_calendar("CONFIRMED", series)
        await _tell_both(session, series, "series-confirmed", Weight.IMPORTANT, Weight.IMPORTANT, now=now, extra=entry)


async def declined(session: AsyncSession, event: SeriesDeclined, *, now: datetime) -> None:
    """Tell the borrower; the owner too when nobody decided in time."""
    series, extra = event.series, {"expired": event.expired}
    if not await _is_news(session, series, now=now):
        return
    told = [Told(message=_message("series-declined", Weight.IMPORTANT, series, extra), readers=borrower_of(series))]
    if event.expired:
        readers = owner_of(series) - borrower_of(series)
        told.append(Told(message=_message("series-expired-owner", Weight.NEWS, series), readers=readers))
    await telling.tell(session, *told, now=now)


async def cancelled(session: AsyncSession, event: SeriesCancelled, *, now: datetime) -> None:
    """Tell both sides which dates are off; they leave the calendars where they were."""
    series = event.series
    known = await _note(session, series)
    if known is None:
        return
    await _answered(session, series, now=now)
    extra: dict[str, Any] = {"by": event.by}
    if known.was_confirmed:
        extra |= domain.series_calendar("CANCELLED", series)
    await _tell_both(session, series, "series-cancelled", Weight.IMPORTANT, Weight.IMPORTANT, now=now, extra=extra)


async def moved(session: AsyncSession, event: SeriesMoved, *, now: datetime) -> None:
    """Tell both sides the new dates, which move in their calendars; the request that waits, if any, stays."""
    series = event.series
    known = await _note(session, series)
    if known is None:
        return
    await telling.no_longer_ask(session, str(series.id), CHANGE_TO_ANSWER, now=now)
    extra: dict[str, Any] = {"by": event.by}
    if known.was_confirmed:
        extra |= domain.series_calendar("CONFIRMED", series)
    await _tell_both(session, series, "series-moved", Weight.NEWS, Weight.IMPORTANT, now=now, extra=extra)


async def change_asked(session: AsyncSession, event: SeriesChangeAsked, *, now: datetime) -> None:
    """Ask the side that has to answer, once for all dates; an earlier wish is replaced."""
    series = event.series
    if await _note(session, series) is None:
        return
    await telling.no_longer_ask(session, str(series.id), CHANGE_TO_ANSWER, now=now)
    asked = borrower_of(series) if event.change.by_owner else await deciders(session, series)
    message = _message(CHANGE_TO_ANSWER, Weight.IMPORTANT, series, domain.series_change_facts(event.change))
    await telling.tell(session, Told(message=message, readers=asked), now=now)


async def change_refused(session: AsyncSession, event: SeriesChangeRefused, *, now: datetime) -> None:
    """Tell whoever did not say so that all dates stay as they are."""
    series = event.series
    if await _note(session, series) is None:
        return
    await telling.no_longer_ask(session, str(series.id), CHANGE_TO_ANSWER, now=now)
    extra, borrower = {"expired": event.expired}, borrower_of(series)
    told: dict[str, Told] = {
        "borrower": Told(message=_message("series-stays", Weight.IMPORTANT, series, extra), readers=borrower),
        "owner": Told(
            message=_message("series-stays-owner", Weight.IMPORTANT, series, extra),
            readers=owner_of(series) - borrower,
        ),
    }
    await telling.tell(session, *(one for side, one in told.items() if side != event.by), now=now)


async def _tell_both(
    session: AsyncSession,
    series: SeriesState,
    template: str,
    to_borrower: Weight,
    to_owner: Weight,
    *,
    now: datetime,
    extra: dict[str, Any] | None = None,
) -> None:
    borrower = borrower_of(series)
    await telling.tell(
        session,
        Told(message=_message(template, to_borrower, series, extra), readers=borrower),
        Told(message=_message(f"{template}-owner", to_owner, series, extra), readers=owner_of(series) - borrower),
        now=now,
    )


def _message(template: str, weight: Weight, series: SeriesState, extra: dict[str, Any] | None = None) -> Message:
    return Message(
        template=template,
        weight=weight,
        about=About(type="booking", id=str(series.id)),
        url=f"/bookings/series/{series.id}",
        facts=domain.series_facts(series) | (extra or {}),
    )


async def _is_news(session: AsyncSession, series: SeriesState, *, now: datetime, confirmed: bool = False) -> bool:
    """Whether nothing newer was told of it; what was asked about it is answered."""
    if await _note(session, series, confirmed=confirmed) is None:
        return False
    await _answered(session, series, now=now)
    return True


async def _answered(session: AsyncSession, series: SeriesState, *, now: datetime) -> None:
    """Nothing that was asked about it still waits."""
    for template in (TO_DECIDE, CHANGE_TO_ANSWER):
        await telling.no_longer_ask(session, str(series.id), template, now=now)


async def _note(session: AsyncSession, series: SeriesState, *, confirmed: bool = False) -> Known | None:
    last = max(one.end for one in series.dates)
    return await remember(session, series, confirmed=confirmed, resource_origin=None, ends_at=last)

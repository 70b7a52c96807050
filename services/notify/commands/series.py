"""A series, told once to each side; its bookings are remembered one by one (see `bookings`)."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeriesCancelled, SeriesDeclined, SeriesMoved, SeriesState
from services.notify import domain
from services.notify.commands import telling
from services.notify.commands.bookings import Known, borrower_of, deciders, owner_of, remember
from services.notify.domain import About, Message, Told, Weight

TO_DECIDE = "series-to-decide"


async def requested(session: AsyncSession, series: SeriesState, *, now: datetime) -> None:
    """Ask whoever decides once for all, and tell the borrower that the request is on its way."""
    known = await _note(session, series)
    if known is None:
        return
    asked = Told(message=_message(TO_DECIDE, Weight.IMPORTANT, series), readers=await deciders(session, series))
    on_its_way = Told(message=_message("series-asked", Weight.QUIET, series), readers=borrower_of(series))
    await telling.tell(session, asked, *([on_its_way] if known.is_first else []), now=now)


async def confirmed(session: AsyncSession, series: SeriesState, *, now: datetime) -> None:
    """Tell both sides."""
    if await _is_news(session, series, now=now, confirmed=True):
        await _tell_both(session, series, "series-confirmed", Weight.IMPORTANT, Weight.IMPORTANT, now=now)


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
    """Tell both sides which dates are off."""
    if await _is_news(session, event.series, now=now):
        extra = {"by": event.by}
        await _tell_both(
            session, event.series, "series-cancelled", Weight.IMPORTANT, Weight.IMPORTANT, now=now, extra=extra
        )


async def moved(session: AsyncSession, event: SeriesMoved, *, now: datetime) -> None:
    """Tell both sides the new dates; the question that waits, if any, stays."""
    if await _note(session, event.series) is not None:
        extra = {"by": event.by}
        await _tell_both(session, event.series, "series-moved", Weight.NEWS, Weight.IMPORTANT, now=now, extra=extra)


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
    await telling.no_longer_ask(session, str(series.id), TO_DECIDE, now=now)
    return True


async def _note(session: AsyncSession, series: SeriesState, *, confirmed: bool = False) -> Known | None:
    last = max(one.end for one in series.dates)
    return await remember(session, series, confirmed=confirmed, resource_origin=None, ends_at=last)

"""How many of the results are free on the days that people ask for most: by these they can be narrowed."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import free_time
from services.matching.free_time import Interval, Rules
from services.matching.queries import results
from services.matching.views import FacetView

_MOST_RESULTS = 200
"""Of more results nothing is counted: each calendar has to be looked at."""

_SATURDAY, _WEEK, _MONTH = 5, 7, 30
Days = tuple[date, date]


async def of(
    session: AsyncSession, keys: Sequence[results.Key], zone: str, now: datetime
) -> dict[str, list[FacetView]]:
    """The facet `free`: values are local days "first/last", where choosing them narrows; counted as the filter does."""
    if not 1 < len(keys) <= _MOST_RESULTS:
        return {}
    rows = await results.calendars(session, keys)
    calendars = [calendar(rows.get(key)) for key in keys]
    if all(rules is None for rules, _ in calendars):
        return {}
    views = [_view(days, calendars, ZoneInfo(zone), now) for days in choices(now.astimezone(ZoneInfo(zone)).date())]
    views = [view for view in views if 0 < view.count < len(keys)]
    return {"free": views} if views else {}


def choices(today: date) -> list[Days]:
    """The coming weekend (this one while it lasts), the next seven days, the next thirty: first and last day."""
    saturday = today + timedelta(days=(_SATURDAY - today.weekday()) % 7 if today.weekday() <= _SATURDAY else -1)
    weekend = (max(saturday, today), saturday + timedelta(days=1))
    return [weekend, *((today, today + timedelta(days=days - 1)) for days in (_WEEK, _MONTH))]


def calendar(row: sa.RowMapping | None) -> tuple[Rules | None, list[Interval]]:
    """How and when a thing can be booked; None when it cannot, or nobody knows."""
    rules = results.rules_of(row) if row is not None else None
    return (None, []) if row is None or rules is None else (rules, results.busy_of(row))


def _view(
    days: Days, calendars: Sequence[tuple[Rules | None, list[Interval]]], zone: ZoneInfo, now: datetime
) -> FacetView:
    start = datetime.combine(days[0], time(), zone)
    end = datetime.combine(days[1] + timedelta(days=1), time(), zone)
    count = sum(
        rules is None or free_time.first_free(rules, busy, start=start, end=end, now=now) is not None
        for rules, busy in calendars
    )
    return FacetView(value=f"{days[0].isoformat()}/{days[1].isoformat()}", label="", count=count)

"""The accounts: what the cooperative gave and received, and what I did."""

import contextlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.downloads import csv_from
from services.portal.forms import filled
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, MemberVisit, Visit

router = APIRouter()
_ROWS = 50
Period = tuple[str, str]
"""First and last day, as typed: "2026-03-01"."""


@router.get("/coordination/accounts")
async def show_accounts(visit: CoordinatorVisit) -> Response:
    """Uses given and received in a period: with each cooperative, and by each member."""
    form = filled(**dict(zip(("first", "last"), _period(visit), strict=True)))
    balance, status = None, 200
    try:
        balance = await visit.get("booking", "/balance", **_bounds(visit, (form["first"], form["last"])))
    except Refusal as refusal:
        form.refused(refusal, {"from": "first", "until": "last"})
        status = refusal.status
    return await visit.page(
        "accounts.html",
        status=status,
        form=form,
        balance=balance,
        total=_total(balance),
        periods=_usual_periods(_today(visit)),
    )


@router.get("/coordination/accounts.csv")
async def export_uses(visit: CoordinatorVisit) -> Response:
    """The uses of a period, with one cooperative or all, line by line."""
    first, last = _period(visit)
    bounds = {name.rstrip("_"): value for name, value in _bounds(visit, (first, last)).items()}
    params = {**bounds, "peer": visit.query["peer"]}
    return await csv_from(visit, "booking", "/uses.csv", params, name="maillage-uses.csv")


@router.get("/bookings/uses")
async def show_my_uses(visit: MemberVisit) -> Response:
    """What I gave and received, the last first."""
    page = await visit.get("booking", "/uses", mine="true", limit=_ROWS, cursor=visit.query["cursor"])
    return await visit.page("my_uses.html", hours=await my_hours(visit), uses=items(page), following=page["next"])


async def my_hours(visit: Visit) -> Json | None:
    """What I gave and received this year; None when I did neither, or nobody can tell."""
    year = _today(visit).year
    bounds = _bounds(visit, (f"{year}-01-01", f"{year}-12-31"))
    balance = await visit.try_get("booking", "/balance", mine="true", **bounds)
    return next(iter(balance["members"]), None) if balance else None


def _period(visit: Visit) -> Period:
    """The days asked for; this year unless said otherwise."""
    first, last = _usual_periods(_today(visit))["year"]
    return visit.query["first"] or first, visit.query["last"] or last


def _bounds(visit: Visit, period: Period) -> dict[str, str]:
    """The period for booking: from the first instant of its first day until its last day is over."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    first, last = period
    with contextlib.suppress(ValueError, OverflowError):  # booking says which date it does not know
        last = str(date.fromisoformat(last) + timedelta(days=1))
    return {"from_": moments.instant(first), "until": moments.instant(last)}


def _usual_periods(today: date) -> dict[str, Period]:
    """This month and year, and those before."""
    month = today.replace(day=1)
    month_before = (month - timedelta(days=1)).replace(day=1)
    return {
        "month": (str(month), str(_last_day(month))),
        "month-before": (str(month_before), str(_last_day(month_before))),
        "year": (f"{today.year}-01-01", f"{today.year}-12-31"),
        "year-before": (f"{today.year - 1}-01-01", f"{today.year - 1}-12-31"),
    }


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _total(balance: Json | None) -> int:
    """How many uses there were at all."""
    if balance is None:
        return 0
    abroad = sum(peer[side]["uses"] for peer in balance["peers"] for side in ("given", "received"))
    return int(abroad + balance["within"]["uses"])


def _today(visit: Visit) -> date:
    return datetime.now(ZoneInfo(visit.portal.settings.time_zone)).date()

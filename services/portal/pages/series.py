"""Series: repeat a booking, see every date before it is booked, decide on all of them in one step."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.moments import Moments
from services.portal.pages.listings import id_of, offer_page
from services.portal.visit import MemberVisit, Visit

router = APIRouter()
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_INSTEAD = "instead-"
_LAST_IN_MONTH = 5
_ANSWERS = {"accept": "series-moved", "refuse": "change-refused", "withdraw": "change-withdrawn"}


def rule_of(form: Form, start: datetime | None) -> str:
    """The rule (RFC 5545) for what was ticked: repeated as the first date, `start` on the wall clock, says.

    The weekday of `start` is always one of the chosen days. What is missing is left out: booking says so.
    """
    weekday = start.weekday() if start else 0
    nth = (start.day - 1) // 7 + 1 if start else 1
    days = {int(day) for day in form.all("days") if day in set("0123456")} | {weekday}
    parts = {
        "weekly": "FREQ=WEEKLY",
        "fortnightly": "FREQ=WEEKLY;INTERVAL=2",
        "monthly": f"FREQ=MONTHLY;BYDAY={-1 if nth == _LAST_IN_MONTH else nth}{_DAYS[weekday]}",
        "days": f"FREQ=WEEKLY;BYDAY={','.join(_DAYS[day] for day in sorted(days))}",
    }.get(form["repeat"], "FREQ=")
    times = f";COUNT={form['times']}" if form["times"] else ""
    until = f";UNTIL={form['until'].replace('-', '')}" if form["until"] else ""
    return parts + times + until


def _wall(typed: str) -> datetime | None:
    try:
        return datetime.fromisoformat(typed)
    except ValueError:
        return None


@router.post("/offers/{reference}/series")
async def check(visit: MemberVisit, reference: str) -> Response:
    """Every date, with what stands in its way, before anything is booked."""
    form = await visit.form()
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    zone = form["zone"] or None
    asked = {
        "offer_id": id_of(reference),
        "start": moments.instant(form["start"], zone),
        "end": moments.instant(form["end"], zone),
        "rrule": rule_of(form, _wall(form["start"])),
        "note": form["note"],
    }
    try:
        return await _check_page(visit, asked, Form())
    except Refusal as refusal:
        form.refused(refusal, {"rrule": "repeat"})
        return await offer_page(visit, reference, None, form=form, status=refusal.status)


@router.post("/offers/{reference}/series/book")
async def book(visit: MemberVisit, reference: str) -> Response:
    """Book all dates that can be, with the other times that were chosen."""
    form = await visit.form()
    asked: dict[str, Any] = {name: form[name] for name in ("start", "end", "rrule", "note")}
    asked |= {"offer_id": id_of(reference), "moved": list(_moved(form))}
    try:
        made = await visit.send("booking", "POST", "/bookings/series", {**asked, "conflicts": "skip"}, key=form.key)
    except Refusal as refusal:
        return await _check_page(visit, asked, form.refused(refusal), status=refusal.status)
    flash = "requested" if made["status"] == "pending" else "booked"
    return visit.redirect(f"/bookings/series/{made['id']}", flash=flash)


def _moved(form: Form) -> list[Json]:
    """The dates for which another time was chosen."""
    moved: list[Json] = []
    for name, (chosen, *_) in form.values.items():
        start, _, end = chosen.partition("/")
        if name.startswith(_INSTEAD) and end:
            moved.append({"from": name.removeprefix(_INSTEAD), "start": start, "end": end})
    return moved


async def _check_page(visit: Visit, asked: Json, form: Form, *, status: int = 200) -> Response:
    found = await visit.send("booking", "POST", "/bookings/series/check", asked)
    listing = await visit.get("catalog", f"/listings/{asked['offer_id']}")
    return await visit.page(
        "series_check.html", listing=listing, found=found, asked=asked, form=form, instead=_INSTEAD, status=status
    )


@router.get("/bookings/series/{series_id}")
async def show_series(visit: MemberVisit, series_id: str) -> Response:
    """All dates of a series."""
    return await _page(visit, series_id, Form())


async def _page(visit: Visit, series_id: str, form: Form, *, status: int = 200) -> Response:
    series = await visit.get("booking", f"/bookings/series/{series_id}")
    today = date.today().isoformat()  # noqa: DTZ011 - only sorts what is shown
    coming = [one for one in series["bookings"] if one["end"][:10] >= today]
    past = [one for one in series["bookings"] if one["end"][:10] < today]
    wished = {one["booking_id"]: one for one in (series["change"] or {}).get("dates", [])}
    changing = [(one, wished[one["id"]]) for one in series["bookings"] if one["id"] in wished]
    movable = next((one for one in coming if one["status"] == "confirmed" or series["mine"]), None)
    return await visit.page(
        "series.html",
        series=series,
        coming=coming,
        past=past,
        changing=changing,
        movable=movable,
        conflicts=(form.problem.values.get("conflicts") or []) if form.problem else [],
        form=form,
        status=status,
    )


@router.post("/bookings/series/{series_id}/approve")
async def approve(visit: MemberVisit, series_id: str) -> Response:
    """Say yes to all."""
    return await _decide(visit, series_id, "approve", "approved")


@router.post("/bookings/series/{series_id}/decline")
async def decline(visit: MemberVisit, series_id: str) -> Response:
    """Say no to all."""
    return await _decide(visit, series_id, "decline", "declined")


@router.post("/bookings/series/{series_id}/change/{answer}")
async def answer_change(visit: MemberVisit, series_id: str, answer: str) -> Response:
    """Say yes or no, once for all dates, to their change; or no longer ask for it."""
    if answer not in _ANSWERS:
        raise Refusal(404, "not-found")
    form = await visit.form()
    try:
        await visit.send("booking", "POST", f"/bookings/series/{series_id}/change/{answer}")
    except Refusal as refusal:
        return await _page(visit, series_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/bookings/series/{series_id}", flash=_ANSWERS[answer])


async def _decide(visit: Visit, series_id: str, action: str, flash: str) -> Response:
    form = await visit.form()
    body = {"reason": form["reason"]} if action == "decline" else None
    try:
        await visit.send("booking", "POST", f"/bookings/series/{series_id}/{action}", body)
    except Refusal as refusal:
        return await _page(visit, series_id, form.refused(refusal), status=refusal.status)
    return visit.redirect("/bookings" if form["back"] == "list" else f"/bookings/series/{series_id}", flash=flash)

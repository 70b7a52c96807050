"""Bookings: when, where, with whom, and what to do next."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.accounts import my_hours
from services.portal.pages.home import is_coming, items
from services.portal.pages.lines import my_waiting
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/bookings")
_ROWS = 50


@router.get("")
async def show_bookings(visit: MemberVisit) -> Response:
    """To decide, what I asked for, what others booked from me; the next ones first."""
    to_decide, borrowed, lent, hours = await asyncio.gather(
        visit.try_get("booking", "/bookings", role="to_decide", by_series="true", limit=_ROWS),
        visit.try_get("booking", "/bookings", role="borrower", by_series="true", limit=_ROWS),
        visit.try_get("booking", "/bookings", role="owner", by_series="true", limit=_ROWS),
        my_hours(visit),
    )
    decide_ids = {booking["id"] for booking in items(to_decide) if booking["status"] == "pending"}
    lent_only = [booking for booking in items(lent) if booking["id"] not in decide_ids]
    mine, theirs = _sorted(items(borrowed)), _sorted(lent_only)
    return await visit.page(
        "bookings.html",
        waiting=await my_waiting(visit),
        to_decide=items(to_decide),
        borrowed=mine,
        lent=theirs,
        hours=hours,
        nearest=min(mine[0] + theirs[0], key=_start, default=None),
    )


def _sorted(bookings: list[Json]) -> tuple[list[Json], list[Json]]:
    """Those ahead, the next first; those past, the last first."""
    coming = sorted((one for one in bookings if is_coming(one)), key=_start)
    past = sorted((one for one in bookings if not is_coming(one)), key=_start, reverse=True)
    return coming, past


def _start(booking: Json) -> datetime:
    return datetime.fromisoformat(booking["start"]).astimezone(UTC)


@router.get("/{booking_id}")
async def show_booking(visit: MemberVisit, booking_id: str) -> Response:
    """One booking, with the one thing to do now and its history."""
    return await booking_page(visit, booking_id, Form())


async def booking_page(visit: Visit, booking_id: str, form: Form, *, status: int = 200) -> Response:
    """The page of a booking. `form` is an action on it that was refused."""
    booking = await visit.get("booking", f"/bookings/{booking_id}")
    return await visit.page("booking.html", booking=booking, form=form, status=status)


@router.post("/{booking_id}/approve")
async def approve(visit: MemberVisit, booking_id: str) -> Response:
    """Say yes."""
    return await _decide(visit, booking_id, "approve", "approved")


@router.post("/{booking_id}/decline")
async def decline(visit: MemberVisit, booking_id: str) -> Response:
    """Say no, with a reason for the person who asked."""
    return await _decide(visit, booking_id, "decline", "declined")


async def _decide(visit: Visit, booking_id: str, action: str, flash: str) -> Response:
    form = await visit.form()
    body = {"reason": form["reason"]} if action == "decline" else None
    try:
        decided = await visit.send("booking", "POST", f"/bookings/{booking_id}/{action}", body)
    except Refusal as refusal:
        return await booking_page(visit, booking_id, form.refused(refusal), status=refusal.status)
    if action == "approve" and decided and decided["status"] == "pending":
        flash = "approved-first"
    back = {"list": "/bookings", "series": _series_of(decided)}.get(form["back"])
    return visit.redirect(back or f"/bookings/{booking_id}", flash=flash)


def _series_of(booking: Json | None) -> str | None:
    series = (booking or {}).get("series")
    return f"/bookings/series/{series['id']}" if series else None


@router.post("/{booking_id}/check-in")
async def check_in(visit: MemberVisit, booking_id: str) -> Response:
    """Say that I have come, or that the person has; with the code from the machine when there is one."""
    form = await visit.form()
    return await _use(visit, booking_id, form, "check-in", {"code": form.or_none("code")})


@router.post("/{booking_id}/check-out")
async def check_out(visit: MemberVisit, booking_id: str) -> Response:
    """Say that it is given back."""
    return await _use(visit, booking_id, await visit.form(), "check-out", None)


async def _use(visit: Visit, booking_id: str, form: Form, action: str, body: Json | None) -> Response:
    try:
        booking = await visit.send("booking", "POST", f"/bookings/{booking_id}/{action}", body)
    except Refusal as refusal:
        return await booking_page(visit, booking_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(
        f"/bookings/{booking_id}", flash="asked-peer" if booking and booking["resource_origin"] else action
    )


@router.get("/{booking_id}/cancel")
async def ask_cancel(visit: MemberVisit, booking_id: str) -> Response:
    """What cancelling does, before it happens."""
    booking = await visit.get("booking", f"/bookings/{booking_id}")
    return await visit.page("booking_cancel.html", booking=booking, form=filled(scope=visit.query["scope"] or "this"))


@router.post("/{booking_id}/cancel")
async def cancel(visit: MemberVisit, booking_id: str) -> Response:
    """Call it off."""
    form = await visit.form()
    try:
        body = {"reason": form["reason"], "scope": form["scope"] or "this"}
        booking = await visit.send("booking", "POST", f"/bookings/{booking_id}/cancel", body)
    except Refusal as refusal:
        booking = await visit.get("booking", f"/bookings/{booking_id}")
        form.refused(refusal)
        return await visit.page("booking_cancel.html", booking=booking, form=form, status=refusal.status)
    flash = "cancelling" if booking and booking["status"] == "cancelling" else "cancelled"
    return visit.redirect(f"/bookings/{booking_id}", flash=flash)

"""An offer: whether it is what I need, and free. A need: who can help."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.moments import Moments
from services.portal.pages.lines import line_of
from services.portal.visit import MemberVisit, Visit, VisitDep
from services.portal.week import lay_out, shortest_minutes

router = APIRouter()
_ID_LENGTH = 36
_GONE = 410


def id_of(reference: str) -> str:
    """The id at the start of `<id>-<slug>`. Raises Refusal (404) when there is none."""
    try:
        return str(UUID(reference[:_ID_LENGTH]))
    except ValueError:
        raise Refusal(404, "not-found") from None


@router.get("/offers")
@router.get("/needs")
async def browse(visit: VisitDep) -> Response:
    """All of them are found by searching."""
    side = "need" if visit.request.url.path == "/needs" else "offer"
    return visit.redirect(f"/search?side={side}")


@router.get("/offers/{reference}")
async def show_offer(visit: VisitDep, reference: str) -> Response:
    """One of our offers."""
    return await offer_page(visit, reference, None)


@router.get("/from/{origin}/offers/{reference}")
async def show_peer_offer(visit: VisitDep, origin: str, reference: str) -> Response:
    """An offer of a linked cooperative."""
    return await offer_page(visit, reference, origin)


@router.get("/needs/{reference}")
async def show_need(visit: VisitDep, reference: str) -> Response:
    """One of our needs, with what could answer it when it is mine."""
    return await need_page(visit, reference, None)


@router.get("/from/{origin}/needs/{reference}")
async def show_peer_need(visit: VisitDep, origin: str, reference: str) -> Response:
    """A need of a linked cooperative."""
    return await need_page(visit, reference, origin)


async def need_page(visit: Visit, reference: str, origin: str | None) -> Response:
    """The page of a need; matches only for its owner and coordinators."""
    need_id = id_of(reference)
    need = await visit.get("catalog", f"/listings/{need_id}", origin=origin)
    if need["side"] != "need":
        raise Refusal(404, "not-found")
    entitled = visit.member is not None and not origin and (need["mine"] or visit.member.is_coordinator)
    found = await visit.try_get("matching", f"/needs/{need_id}/matches") if entitled else None
    status = 200 if need["status"] == "published" or need["may_edit"] else _GONE
    return await visit.page("need.html", listing=need, found=found, entitled=entitled, status=status)


async def offer_page(
    visit: Visit, reference: str, origin: str | None, *, form: Form | None = None, status: int = 200
) -> Response:
    """The page of an offer with its week. `form` is a booking that was refused."""
    offer_id = id_of(reference)
    signed_in = visit.member is not None
    offer, resource = await asyncio.gather(
        visit.get("catalog", f"/listings/{offer_id}", origin=origin),
        visit.try_get("booking", f"/resources/{offer_id}", origin=origin) if signed_in else _none(),
    )
    if offer["side"] != "offer":
        raise Refusal(404, "not-found")
    open_resource = resource if resource and resource.get("status", "open") == "open" else None
    week = await _week(visit, offer_id, origin, open_resource) if open_resource else None
    if offer["status"] != "published" and not offer["may_edit"]:
        status = _GONE
    return await visit.page(
        "offer.html",
        status=status,
        listing=offer,
        resource=open_resource,
        week=week,
        form=form or _booking_form(visit, open_resource),
        alternatives=_alternatives(form),
        in_line=await line_of(visit, offer),
    )


async def _week(visit: Visit, offer_id: str, origin: str | None, resource: Json) -> Json | None:
    zone = ZoneInfo(resource["time_zone"])
    today = datetime.now(zone).date()
    asked = _date_or(visit.query["from"], today)
    availability = await visit.try_get(
        "booking", f"/resources/{offer_id}/availability", origin=origin, from_=asked.isoformat(), days=7
    )
    if availability is None:
        return None
    table = lay_out(availability, minimum_minutes=resource["minimum_minutes"], now=datetime.now(UTC))
    day = _date_or(visit.query["day"], _date_or(visit.query["at"][:10], asked))
    return {
        "table": table,
        "day": day if day in table.days else asked,
        "from": asked,
        "earlier": max(today, asked - timedelta(days=7)) if asked > today else None,
        "later": asked + timedelta(days=7),
        "next_free": [_first_of(gap, resource) for gap in availability.get("next_free", [])],
        "as_of": availability.get("as_of"),
    }


def _first_of(gap: Json, resource: Json) -> Json:
    """A free gap, with the shortest booking at its start as what choosing it picks."""
    minutes = shortest_minutes(resource["step_minutes"], resource["minimum_minutes"])
    end = datetime.fromisoformat(gap["start"]) + timedelta(minutes=minutes)
    return {**gap, "pick": f"{gap['start']}/{end.isoformat()}"}


def _booking_form(visit: Visit, resource: Json | None) -> Form:
    """An empty booking, or with the period that was picked in the table (`?at=start/end`)."""
    start, _, end = visit.query["at"].partition("/")
    if resource is None or not end:
        return Form()
    moments = Moments(visit.language, resource["time_zone"])
    try:
        return filled(start=moments.field(start), end=moments.field(end), at=f"{start}/{end}")
    except ValueError:
        return Form()


def _alternatives(form: Form | None) -> list[Json]:
    problem = form.problem if form is not None else None
    return list(problem.values.get("alternatives") or []) if problem is not None else []


@router.post("/offers/{reference}/book")
async def book(visit: MemberVisit, reference: str) -> Response:
    """Ask for one of our offers."""
    return await _book(visit, reference, None)


@router.post("/from/{origin}/offers/{reference}/book")
async def book_from_peer(visit: MemberVisit, origin: str, reference: str) -> Response:
    """Ask for an offer of a linked cooperative."""
    return await _book(visit, reference, origin)


async def _book(visit: Visit, reference: str, origin: str | None) -> Response:
    form = await visit.form()
    if form["repeat"] and origin is None:  # the dates are shown first, whichever button was pressed
        return RedirectResponse(f"/offers/{id_of(reference)}/series", 307)
    start, end = _period(visit, form)
    body = {"offer_id": id_of(reference), "origin": origin, "start": start, "end": end, "note": form["note"]}
    try:
        booking = await visit.send("booking", "POST", "/bookings", body, key=form.key)
    except Refusal as refusal:
        return await offer_page(visit, reference, origin, form=form.refused(refusal), status=refusal.status)
    flash = "booked" if booking["status"] == "confirmed" else "requested"
    return visit.redirect(f"/bookings/{booking['id']}", flash=flash)


def _period(visit: Visit, form: Form) -> tuple[Any, Any]:
    """The period asked for: an alternative's button, else the two fields (exact as picked if they were not changed)."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    zone = form["zone"] or None
    instead = form["instead"] or form["at"]
    start, _, end = instead.partition("/")
    try:
        if form["instead"]:
            form.values |= {"start": [moments.field(start, zone)], "end": [moments.field(end, zone)], "at": [instead]}
            return start, end
        typed = (form["start"], form["end"])
        if instead and typed == (moments.field(start, zone), moments.field(end, zone)):
            return start, end
        return moments.instant(typed[0], zone), moments.instant(typed[1], zone)
    except (ValueError, KeyError):
        return form["start"], form["end"]


def _date_or(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


async def _none() -> None:
    return None

"""From a free hour to a booking: choose (and have it kept), say a word, send. Two clicks, with or without scripts."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from services.portal.client import Json, PartMissing, Refusal
from services.portal.forms import Form
from services.portal.looks import listing_path, money
from services.portal.moments import Moments
from services.portal.pages.listings import (
    circles_of,
    id_of,
    is_held,
    none,
    offer_and_resource,
    offer_page,
    period_form,
)
from services.portal.prices import minutes_between, total_of
from services.portal.visit import MemberVisit, Visit

router = APIRouter()


@router.post("/offers/{reference}/hold")
@router.post("/from/{origin}/offers/{reference}/hold")
async def choose(visit: MemberVisit, reference: str, origin: str | None = None) -> Response:
    """A period was chosen: have it kept while the person writes (ours only), and go on to the last step.

    A script that asks for JSON stays on its page and is told until when it is kept.
    """
    form = await visit.form()
    start, end = period_of(visit, form)
    held: Json | None = None
    try:
        if origin is None:
            held = await visit.send("booking", "POST", "/holds", _wanted(reference, form, start, end))
    except PartMissing:
        pass  # it can be asked for without
    except Refusal as refusal:
        if _by_script(visit):
            return JSONResponse({"hold_id": None, "said": refusal.detail}, refusal.status)
        form.refused(refusal).values["choosing"] = ["yes"]
        return await offer_page(visit, reference, origin, form=form, status=refusal.status)
    if _by_script(visit):
        return JSONResponse({"hold_id": held["id"], "said": _said_of(visit, held)} if held else {"hold_id": None})
    room = f"/from/{origin}" if origin else ""
    chosen = {"start": start, "end": end, "quantity": form["quantity"], "hold": held["id"] if held else ""}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return visit.redirect(f"{room}/offers/{reference}/book?{query}")


@router.post("/offers/{reference}/release")
async def give_back(visit: MemberVisit, reference: str) -> Response:
    """No longer keep the period. `leaving`: said by a page that is being left."""
    form = await visit.form()
    if form["hold_id"]:
        await visit.send("booking", "DELETE", f"/holds/{id_of(form['hold_id'])}")
    if form["leaving"]:
        return Response(status_code=204)
    return visit.redirect(f"/offers/{reference}", flash="hold-released")


@router.get("/offers/{reference}/book")
@router.get("/from/{origin}/offers/{reference}/book")
async def show_step(visit: MemberVisit, reference: str, origin: str | None = None) -> Response:
    """The last step: what was chosen, until when it is kept, a word for the person, one button."""
    return await _step_page(visit, reference, origin, None)


@router.post("/offers/{reference}/book")
@router.post("/from/{origin}/offers/{reference}/book")
async def book(visit: MemberVisit, reference: str, origin: str | None = None) -> Response:
    """Ask for it."""
    form = await visit.form()
    if form["repeat"] and origin is None:  # the dates are shown first, whichever button was pressed
        return RedirectResponse(f"/offers/{id_of(reference)}/series", 307)
    start, end = period_of(visit, form)
    body = _wanted(reference, form, start, end) | {"origin": origin, "note": form["note"]}
    body |= {name: form[name] for name in ("circle_id", "hold_id") if form[name]}
    try:
        booking = await visit.send("booking", "POST", "/bookings", body, key=form.key)
    except Refusal as refusal:
        form.refused(refusal).values["at"] = [f"{start}/{end}"]
        show = _step_page if form["step"] == "last" or isinstance(refusal, PartMissing) else offer_page
        return await show(visit, reference, origin, form=form, status=refusal.status)
    flash = "booked" if booking["status"] == "confirmed" else "requested"
    return visit.redirect(f"/bookings/{booking['id']}", flash=flash)


async def _step_page(
    visit: Visit, reference: str, origin: str | None, form: Form | None, *, status: int = 200
) -> Response:
    offer, resource = await offer_and_resource(visit, reference, origin)
    hold_id = form["hold_id"] if form else visit.query["hold"]
    if resource is not None and form is None:
        query = visit.query
        form = period_form(visit, resource, query["start"], query["end"], quantity=query["quantity"] or 1)
    if resource is None and "booking" in visit.missing:
        if form is None:
            raise PartMissing(503, "unavailable", service="booking")
        resource = _unknown_resource(form)
    if resource is None or form is None:
        return visit.redirect(listing_path(offer))
    found, circles = await asyncio.gather(
        visit.try_get("booking", f"/bookings/{id_of(hold_id)}") if hold_id else none(), circles_of(visit)
    )
    held = found if found and is_held(found) else None
    form.values["hold_id"] = [held["id"] if held else ""]
    return await visit.page(
        "booking_step.html",
        status=status,
        listing=offer,
        resource=resource,
        form=form,
        circles=circles,
        held=held,
        hold_is_over=bool(hold_id) and held is None,
    )


def _unknown_resource(form: Form) -> Json:
    """As much as the form needs, while booking does not answer: what was written stays, to be sent once more."""
    typed = form["quantity"]
    return {
        "time_zone": form["zone"] or "UTC",
        "step_minutes": 1,
        "capacity": int(typed) if typed.isdecimal() else 1,
        "approval": "owner",
        "terms": {"approvals_needed": 1, "cancel_notice_minutes": 0},
    }


def period_of(visit: Visit, form: Form) -> tuple[Any, Any]:
    """The period asked for: an alternative's button, else the two fields (exact as picked if they were not changed)."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    zone = form["zone"] or None
    instead = form["instead"] or form["at"]
    start, _, end = instead.partition("/")
    try:
        if form["instead"] or (instead and not form["start"] and not form["end"]):
            form.values |= {"start": [moments.field(start, zone)], "end": [moments.field(end, zone)], "at": [instead]}
            return start, end
        typed = (form["start"], form["end"])
        if instead and typed == (moments.field(start, zone), moments.field(end, zone)):
            return start, end
        return moments.instant(typed[0], zone), moments.instant(typed[1], zone)
    except (ValueError, KeyError):
        return form["start"], form["end"]


def _wanted(reference: str, form: Form, start: Any, end: Any) -> Json:
    """What holds and bookings have in common."""
    quantity = {"quantity": form["quantity"]} if form["quantity"] else {}
    return {"offer_id": id_of(reference), "start": start, "end": end, **quantity}


def _by_script(visit: Visit) -> bool:
    return visit.request.headers.get("accept") == "application/json"


def _said_of(visit: Visit, held: Json) -> str:
    moments = Moments(visit.language, held["time_zone"])
    said = visit.say("Gardé pour vous jusqu'à %(time)s.") % {"time": moments.clock(held["decide_by"])}
    whole = total_of(held["price"], minutes_between(held["start"], held["end"]), held["quantity"])
    if whole is None:
        return said
    return f"{said} {visit.say('Pour cette période : %(amount)s.') % {'amount': money(str(whole), visit.language)}}"

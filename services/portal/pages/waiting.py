"""Waiting lists: joining one after a refusal, taking the place that has become free, leaving."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.forms import Form
from services.portal.moments import Moments
from services.portal.pages.listings import id_of, offer_page
from services.portal.visit import MemberVisit, Visit

router = APIRouter()


@router.post("/offers/{reference}/wait")
async def wait(visit: MemberVisit, reference: str) -> Response:
    """Join the waiting list for the period that was just refused."""
    form = await visit.form()
    start, end = _period(visit, form)
    quantity = form["quantity"] or "1"
    body = {"offer_id": id_of(reference), "start": start, "end": end, "quantity": quantity, "note": form["note"]}
    try:
        await visit.send("booking", "POST", "/waiting", body, key=form.key)
    except Refusal as refusal:
        return await offer_page(visit, reference, None, form=form.refused(refusal), status=refusal.status)
    return visit.redirect("/bookings#waiting", flash="waiting")


@router.get("/waiting/{waiting_id}")
async def show(visit: MemberVisit, waiting_id: str) -> Response:
    """One wish: the place that is offered, with one button; or the position."""
    return await _page(visit, waiting_id, Form())


@router.post("/waiting/{waiting_id}/accept")
async def accept(visit: MemberVisit, waiting_id: str) -> Response:
    """Take the place."""
    form = await visit.form()
    try:
        booking = await visit.send("booking", "POST", f"/waiting/{id_of(waiting_id)}/accept", key=form.key)
    except Refusal as refusal:
        return await _page(visit, waiting_id, form.refused(refusal), status=refusal.status)
    flash = "booked" if booking["status"] == "confirmed" else "requested"
    return visit.redirect(f"/bookings/{booking['id']}", flash=flash)


@router.post("/waiting/{waiting_id}/leave")
async def leave(visit: MemberVisit, waiting_id: str) -> Response:
    """Wait no more."""
    form = await visit.form()
    try:
        await visit.send("booking", "POST", f"/waiting/{id_of(waiting_id)}/leave")
    except Refusal as refusal:
        return await _page(visit, waiting_id, form.refused(refusal), status=refusal.status)
    return visit.redirect("/bookings", flash="left-line")


async def _page(visit: Visit, waiting_id: str, form: Form, *, status: int = 200) -> Response:
    wish = await visit.get("booking", f"/waiting/{id_of(waiting_id)}")
    return await visit.page("waiting.html", wish=wish, form=form, status=status)


def _period(visit: Visit, form: Form) -> tuple[str, str]:
    """The period that was refused: exact as it was picked, unless the fields say another."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    zone = form["zone"] or None
    start, _, end = form["at"].partition("/")
    try:
        shown = (moments.field(start, zone), moments.field(end, zone))
        typed = (form["start"] or shown[0], form["end"] or shown[1])
        if end and typed == shown:
            return start, end
        return moments.instant(typed[0], zone), moments.instant(typed[1], zone)
    except (ValueError, KeyError):
        return form["start"], form["end"]

"""Moving a booking: the old period is kept until the other side has answered."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.moments import Moments
from services.portal.pages.booking_steps import period_of
from services.portal.pages.bookings import booking_page
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/bookings/{booking_id}/change")
_ANSWERS = {"accept": "moved", "refuse": "change-refused", "withdraw": "change-withdrawn"}


@router.get("")
async def show_change(visit: MemberVisit, booking_id: str) -> Response:
    """The form, with the period as it is."""
    return await _page(visit, booking_id, None)


@router.post("")
async def ask_change(visit: MemberVisit, booking_id: str) -> Response:
    """Ask for it; done at once where nobody must be asked."""
    form = await visit.form()
    start, end = period_of(visit, form)
    body = {"start": start, "end": end, "quantity": form["quantity"] or 1, "note": form["note"]}
    body |= {name: form[name] for name in ("scope", "conflicts") if form[name]}
    try:
        booking = await visit.send("booking", "PUT", f"/bookings/{booking_id}/change", body)
    except Refusal as refusal:
        form.refused(refusal).values["at"] = [f"{start}/{end}"]
        return await _page(visit, booking_id, form, status=refusal.status)
    if form["scope"] not in {"", "this"}:
        return visit.redirect(f"/bookings/series/{booking['series']['id']}", flash=_moved_as(booking, "series-moved"))
    return visit.redirect(f"/bookings/{booking_id}", flash=_moved_as(booking, "moved"))


def _moved_as(booking: Json, at_once: str) -> str:
    return "change-asked" if booking["change"] else at_once


@router.post("/{answer}")
async def answer_change(visit: MemberVisit, booking_id: str, answer: str) -> Response:
    """Say yes or no to it, or no longer ask."""
    if answer not in _ANSWERS:
        raise Refusal(404, "not-found")
    form = await visit.form()
    try:
        booking = await visit.send("booking", "POST", f"/bookings/{booking_id}/change/{answer}")
    except Refusal as refusal:
        return await booking_page(visit, booking_id, form.refused(refusal), status=refusal.status)
    flash = "asked-peer" if booking and booking["change"] else _ANSWERS[answer]
    return visit.redirect(f"/bookings/{booking_id}", flash=flash)


async def _page(visit: Visit, booking_id: str, form: Form | None, *, status: int = 200) -> Response:
    booking: Json = await visit.get("booking", f"/bookings/{booking_id}")
    if not booking["may_change"] and form is None:
        return visit.redirect(f"/bookings/{booking_id}")
    path, origin = f"/resources/{booking['offer_id']}", booking["resource_origin"]
    resource = await visit.try_get("booking", path, origin=origin)
    return await visit.page(
        "booking_change.html",
        status=status,
        booking=booking,
        resource=resource,
        form=form or _form_of(visit, booking),
        conflicts=(form.problem.values.get("conflicts") or []) if form and form.problem else [],
    )


def _form_of(visit: Visit, booking: Json) -> Form:
    """What is asked for already, else the booking as it is."""
    wanted, zone = booking["change"] or booking, booking["time_zone"]
    moments = Moments(visit.language, zone)
    return filled(
        start=moments.field(wanted["start"], zone),
        end=moments.field(wanted["end"], zone),
        at=f"{wanted['start']}/{wanted['end']}",
        scope=visit.query["scope"] or "this",
        quantity=wanted["quantity"],
        note=booking["change"]["note"] if booking["change"] else "",
    )

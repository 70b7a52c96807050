"""How an offer can be booked: when, how long, how soon, and who says yes."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.looks import listing_path
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.pages.settling import look_first
from services.portal.pages.terms_forms import (
    TERMS_DEFAULTS,
    add_row,
    hours_fields,
    hours_of,
    refused,
    terms_fields,
    terms_of,
)
from services.portal.visit import MemberVisit, Visit

router = APIRouter()
_NUMBERS = (
    "step_minutes", "minimum_minutes", "maximum_minutes", "lead_minutes", "horizon_days",
    "buffer_before_minutes", "buffer_after_minutes", "grace_minutes",
)  # fmt: skip
_WORKING_DAYS = range(5)
_WAITS = (0.1, 0.2, 0.4, 0.8, 1.5)
RULE_DEFAULTS: dict[str, Any] = {
    **TERMS_DEFAULTS,
    "open_days": list(_WORKING_DAYS),
    **{f"opens_{day}": "09:00" for day in range(7)},
    **{f"closes_{day}": "18:00" for day in range(7)},
    "step_minutes": 30,
    "minimum_minutes": 60,
    "maximum_minutes": 480,
    "lead_minutes": 120,
    "horizon_days": 60,
    "buffer_before_minutes": 0,
    "buffer_after_minutes": 0,
    "approval": "owner",
    "check_in": "none",
    "grace_minutes": 30,
}


@router.get("/offers/{reference}/booking-rules")
async def show_rules(visit: MemberVisit, reference: str) -> Response:
    """The rules in force, or sensible defaults."""
    offer, resource = await asyncio.gather(
        visit.get("catalog", f"/listings/{id_of(reference)}"),
        visit.try_get("booking", f"/resources/{id_of(reference)}"),
    )
    if not offer["may_edit"]:
        raise Refusal(403, "not-allowed")
    form = _form_of(resource) if resource else filled(**RULE_DEFAULTS)
    return await rules_page(visit, offer, form, resource=resource)


@router.post("/offers/{reference}/booking-rules")
async def save_rules(visit: MemberVisit, reference: str) -> Response:
    """Set the rules; bookings already made keep their time. `more` draws the form again with one row more."""
    form = await visit.form()
    offer = await visit.get("catalog", f"/listings/{id_of(reference)}")
    if form["more"]:
        add_row(form)
        return await rules_page(visit, offer, form)
    if (choices := await look_first(visit, offer, _body(visit, form))) is not None:
        return choices
    try:
        await put_rules(visit, offer["id"], form)
    except Refusal as refusal:
        return await rules_page(visit, offer, refused(form, refusal), status=refusal.status)
    return visit.redirect(listing_path(offer), flash="rules-saved")


@router.post("/offers/{reference}/booking-rules/close")
async def close_resource(visit: MemberVisit, reference: str) -> Response:
    """No new bookings."""
    form = await visit.form()
    offer = await visit.get("catalog", f"/listings/{id_of(reference)}")
    try:
        await visit.send("booking", "POST", f"/resources/{offer['id']}/close")
    except Refusal as refusal:
        resource = await visit.try_get("booking", f"/resources/{offer['id']}")
        filled_again = _form_of(resource) if resource else filled(**RULE_DEFAULTS)
        filled_again.problem, filled_again.key = refusal, form.key
        return await rules_page(visit, offer, filled_again, resource=resource, status=refusal.status)
    return visit.redirect(listing_path(offer), flash="not-bookable")


async def rules_page(
    visit: Visit, offer: Json, form: Form, *, resource: Json | None = None, flash: str = "", status: int = 200
) -> Response:
    """The page of the rules, with what else there is of the resource. `flash` is said at the top, of words.FLASHES."""
    resource = resource or await visit.try_get("booking", f"/resources/{offer['id']}")
    follow = await visit.try_get("booking", f"/resources/{offer['id']}/calendar") if resource else None
    return await visit.page(
        "booking_rules.html",
        status=status,
        listing=offer,
        form=form,
        resource=resource,
        said_before=flash,
        circles_here=await circles_here(visit),
        follow=follow,
    )


async def circles_here(visit: Visit) -> list[Json]:
    """The circles of the cooperative, for which a resource can be kept."""
    found = await visit.try_get("identity", "/circles")
    return [circle for circle in items(found) if circle["status"] == "active"]


async def put_rules(visit: Visit, offer_id: str, form: Form, *, patient: bool = False) -> Any:
    """Set the rules. `patient`: an offer made this instant may take a moment to be known to booking. Raises Refusal."""
    body = _body(visit, form)
    for wait in _WAITS if patient else ():
        try:
            return await visit.send("booking", "PUT", f"/resources/{offer_id}", body)
        except Refusal as refusal:
            if refusal.status != 404:  # noqa: PLR2004 - not found (yet)
                raise
            await asyncio.sleep(wait)
    return await visit.send("booking", "PUT", f"/resources/{offer_id}", body)


def _body(visit: Visit, form: Form) -> Json:
    """The form as booking's ResourceForm; the form of a new offer has no further conditions."""
    return {
        "time_zone": form["time_zone"] or visit.portal.settings.time_zone,
        "opening_hours": hours_of(form),
        "capacity": form["capacity"] or 1,
        **({"terms": terms_of(form)} if form["rows_closures"] else {}),
        **{name: form[name] for name in _NUMBERS},
        "approval": form["approval"],
        "check_in": form["check_in"] or "none",
    }


def _form_of(resource: Json) -> Form:
    values: dict[str, Any] = {name: resource[name] for name in (*_NUMBERS, "approval", "time_zone", "check_in")}
    values |= hours_fields(resource["opening_hours"])
    values |= {"capacity": resource["capacity"]} | terms_fields(resource["terms"])
    return filled(**values)

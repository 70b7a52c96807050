"""Bookings that no longer fit what changes underneath them: looked at before, then kept, moved or cancelled."""

import json
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/to-settle")
MOST_LINES = 50
"""So many are settled at once: a form has so many fields at the most."""


async def look_first(visit: Visit, offer: Json, rules: Json) -> Response | None:
    """The page of choices when `rules` would leave bookings behind that do not fit; None when they can be saved."""
    try:
        seen = await visit.send("booking", "POST", f"/resources/{offer['id']}/preview", rules)
    except Refusal:
        return None  # saving says what is wrong
    if not seen or not seen["affected"]:
        return None
    form = filled(rules=json.dumps(rules))
    shown = {"offer_id": offer["id"], "offer_title": offer["title"], "items": seen["affected"]}
    return await _page(visit, shown, form, blocked=seen["blocked"])


async def upcoming_of(visit: Visit, offer: Json) -> list[Json]:
    """What is to come of an offer of ours; nothing of a need."""
    if offer["side"] != "offer":
        return []
    return items(await visit.try_get("booking", f"/resources/{offer['id']}/upcoming"))


async def orphaned(visit: Visit) -> list[tuple[Json, int]]:
    """For coordinators: offers whose owner has left with bookings to come, by the first of these, and how many."""
    found = items(await visit.try_get("booking", "/bookings", role="orphaned", limit=200))
    by_offer: dict[str, list[Json]] = {}
    for booking in found:
        by_offer.setdefault(booking["offer_id"], []).append(booking)
    return [(of_it[0], len(of_it)) for of_it in by_offer.values()]


@router.get("/{offer_id}")
async def show(visit: MemberVisit, offer_id: str) -> Response:
    """All that is to come of an offer, with what speaks against it."""
    return await _page(visit, await _upcoming(visit, offer_id), Form())


@router.post("/{offer_id}")
async def settle(visit: MemberVisit, offer_id: str) -> Response:
    """Do what was chosen, and save the new rules when there are any."""
    form = await visit.form()
    body = _body(visit, form)
    try:
        path = f"/resources/{id_of(offer_id)}/settle"
        settled = await visit.send("booking", "POST", path, body, key=form.key)
    except Refusal as refusal:
        form.refused(refusal)
        shown = await _upcoming(visit, offer_id)
        again = await _preview(visit, offer_id, body.get("rules"))
        shown["items"] = again["affected"] if again else shown["items"]
        return await _page(visit, shown, form, blocked=bool(again and again["blocked"]), status=refusal.status)
    if settled["failed"]:
        form.errors |= {f"choice_{one['id']}": str(one["problem"]["detail"]) for one in settled["failed"]}
        form.values.pop("rules", None)
        form.key = uuid4().hex
        return await _page(visit, settled, form, status=409)
    if "rules" in body:
        return visit.redirect(f"/offers/{id_of(offer_id)}", flash="rules-saved")
    return visit.redirect(f"/to-settle/{id_of(offer_id)}", flash="settled")


async def _upcoming(visit: Visit, offer_id: str) -> Json:
    return dict(await visit.get("booking", f"/resources/{id_of(offer_id)}/upcoming"))


async def _preview(visit: Visit, offer_id: str, rules: Any) -> Json | None:
    if rules is None:
        return None
    try:
        return await visit.send("booking", "POST", f"/resources/{id_of(offer_id)}/preview", rules)
    except Refusal:
        return None


async def _page(visit: Visit, shown: Json, form: Form, *, blocked: bool = False, status: int = 200) -> Response:
    lines = [one for one in shown["items"] if one["reasons"] and not one["kept"]]
    fine = [one for one in shown["items"] if not one["reasons"] or one["kept"]]
    for one in lines:
        booking = one["booking"]
        moments, named = Moments(visit.language, booking["time_zone"]), booking["id"]
        form.values.setdefault(f"start_{named}", [moments.field(booking["start"])])
        form.values.setdefault(f"end_{named}", [moments.field(booking["end"])])
        form.values.setdefault(f"choice_{named}", ["keep"])
    return await visit.page(
        "settling.html",
        status=status,
        offer_id=shown["offer_id"],
        offer_title=shown["offer_title"],
        lines=lines[:MOST_LINES],
        more=max(len(lines) - MOST_LINES, 0),
        fine=fine,
        blocked=blocked,
        form=form,
    )


def _body(visit: Visit, form: Form) -> Json:
    """The choices as booking's SettleForm."""
    body: Json = {"keep": [], "cancel": [], "move": []}
    for booking_id in form.all("ids"):
        match form[f"choice_{booking_id}"]:
            case "cancel":
                body["cancel"].append({"id": booking_id, "reason": form[f"reason_{booking_id}"]})
            case "move":
                moments = Moments(visit.language, form[f"zone_{booking_id}"] or visit.portal.settings.time_zone)
                start, end = (moments.instant(form[f"{name}_{booking_id}"]) for name in ("start", "end"))
                note = form[f"reason_{booking_id}"]
                body["move"].append({"id": booking_id, "start": start, "end": end, "note": note})
            case "keep":
                body["keep"].append(booking_id)
            case _:
                continue
    try:
        rules = json.loads(form["rules"]) if form["rules"] else None
    except ValueError:
        rules = None
    return body | ({"rules": rules} if isinstance(rules, dict) else {})

"""`/coordination`: who waits for us? And the cooperative's own profile."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.chassis.problems import NotAllowed
from services.portal.client import Refusal
from services.portal.forms import Form, filled
from services.portal.language import LOCALES
from services.portal.pages.home import items
from services.portal.pages.settling import orphaned
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination")
_ROWS = 50


@router.get("")
async def show_overview(visit: CoordinatorVisit) -> Response:
    """What waits for the team, and the ways to its rooms."""
    to_decide, invitations, links = await asyncio.gather(
        visit.try_get("booking", "/bookings", role="to_decide", by_series="true", limit=_ROWS),
        visit.try_get("identity", "/invitations"),
        visit.try_get("federation", "/links"),
    )
    waiting = [one for one in items(invitations) if one["status"] in {"open", "pending", "sent"}]
    return await visit.page(
        "coordination.html",
        to_decide=items(to_decide),
        invitations=waiting,
        links=items(links),
        orphaned=await orphaned(visit),
    )


@router.get("/cooperative")
async def show_profile(visit: CoordinatorVisit) -> Response:
    """What everybody sees of the cooperative."""
    profile = await visit.get("identity", "/cooperative")
    place = profile.get("place") or {}
    form = filled(
        **{name: profile.get(name) for name in ("name", "summary", "locale", "time_zone", "contact_email")},
        place_label=place.get("label"),
        place_latitude=place.get("latitude"),
        place_longitude=place.get("longitude"),
    )
    return await _profile_page(visit, form)


async def _profile_page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    may_change = visit.member is not None and visit.member.role == "administrator"
    return await visit.page("cooperative.html", form=form, may_change=may_change, locales=LOCALES, status=status)


@router.post("/cooperative")
async def change_profile(visit: CoordinatorVisit) -> Response:
    """Change it (administrators)."""
    if visit.member is None or visit.member.role != "administrator":
        raise NotAllowed
    form = await visit.form()
    body = {
        **{name: form[name] for name in ("name", "summary", "locale", "time_zone")},
        "contact_email": form.or_none("contact_email"),
        "place": {
            "label": form["place_label"],
            "latitude": form["place_latitude"].replace(",", ".") or None,
            "longitude": form["place_longitude"].replace(",", ".") or None,
        },
    }
    try:
        await visit.send("identity", "PUT", "/cooperative", body)
    except Refusal as refusal:
        return await _profile_page(visit, form.refused(refusal), status=refusal.status)
    visit.portal.forget_cooperative()
    return visit.redirect("/coordination/cooperative", flash="saved")

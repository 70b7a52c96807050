"""Calendars: bookings in my own calendar, and my own calendar's busy times here."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.visit import MemberVisit, Visit

router = APIRouter()
_KINDS = ("member", "resource", "busy", "circle")


@router.get("/me/calendars")
async def show_calendars(visit: MemberVisit) -> Response:
    """The addresses that I have made, and my calendar elsewhere."""
    return await _page(visit)


async def _page(
    visit: Visit, *, made: Json | None = None, problem: Form | None = None, given: Form | None = None, status: int = 200
) -> Response:
    """`made`: a feed with its secret address, shown this once. `problem`: of a button; `given`: what was typed."""
    feeds, elsewhere = await asyncio.gather(
        visit.try_get("booking", "/my/feeds"), visit.try_get("booking", "/my/calendar")
    )
    others = [feed for feed in items(feeds) if feed["kind"] != "member"]
    return await visit.page(
        "calendars.html",
        status=status,
        made=made,
        known=feeds is not None,
        mine=next((feed for feed in items(feeds) if feed["kind"] == "member"), None),
        others=[feed | {"about": name} for feed, name in zip(others, await _names(visit, others), strict=True)],
        elsewhere=elsewhere,
        problem_form=problem or Form(),
        form=given or Form(),
    )


async def _names(visit: Visit, feeds: list[Json]) -> list[str]:
    """What each feed is about: booking knows offers by their titles, identity the circles."""
    circles: dict[str, Any] = {}
    if any(feed["kind"] == "circle" for feed in feeds):
        found = items(await visit.try_get("identity", "/circles"))
        circles = {circle["id"]: circle["name"] for circle in found}
    return [str(feed["title"] or circles.get(feed["subject_id"], "")) for feed in feeds]


@router.post("/me/calendars/make")
async def make_feed(visit: MemberVisit) -> Response:
    """Make an address (or another one); it is shown this once."""
    form = await visit.form()
    if form["kind"] not in _KINDS:
        raise Refusal(404, "not-found")
    try:
        body = {"kind": form["kind"], "subject_id": form.or_none("subject")}
        made = await visit.send("booking", "POST", "/my/feeds", body, key=form.key)
    except Refusal as refusal:
        return await _page(visit, problem=Form().refused(refusal), status=refusal.status)
    return await _page(visit, made=made)


@router.post("/me/calendars/{feed_id}/revoke")
async def revoke_feed(visit: MemberVisit, feed_id: str) -> Response:
    """End an address."""
    await visit.form()
    try:
        await visit.send("booking", "DELETE", f"/my/feeds/{id_of(feed_id)}")
    except Refusal as refusal:
        return await _page(visit, problem=Form().refused(refusal), status=refusal.status)
    return visit.redirect("/me/calendars", flash="feed-revoked")


@router.post("/me/calendars/elsewhere")
async def give_calendar(visit: MemberVisit) -> Response:
    """Give the address of my calendar elsewhere, or forget it (`forget`)."""
    form = await visit.form()
    forgets = bool(form["forget"])
    try:
        if forgets:
            await visit.send("booking", "DELETE", "/my/calendar")
        else:
            await visit.send("booking", "PUT", "/my/calendar", {"address": form["address"]})
    except Refusal as refusal:
        return await _page(visit, given=form.refused(refusal), status=refusal.status)
    return visit.redirect("/me/calendars", flash="calendar-forgotten" if forgets else "calendar-given")


@router.post("/offers/{reference}/calendar")
async def follow_calendar(visit: MemberVisit, reference: str) -> Response:
    """Let an offer of my time follow my calendar, or not any more (`follows`: yes or nothing)."""
    form = await visit.form()
    follows = form["follows"] == "yes"
    offer_id = id_of(reference)
    try:
        await visit.send("booking", "PUT", f"/resources/{offer_id}/calendar", {"follows_calendar": follows})
    except Refusal as refusal:
        return await _page(visit, problem=Form().refused(refusal), status=refusal.status)
    return visit.redirect(f"/offers/{offer_id}/booking-rules", flash="follows" if follows else "follows-not")

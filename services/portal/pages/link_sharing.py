"""Below `/coordination/links/…`: what a neighbour sees of us, what it still holds, what it is limited to; blocks."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, Visit
from services.portal.words import KINDS

router = APIRouter(prefix="/coordination/links")
ALL = "all"


@router.get("/{link_id}/catalogue")
async def show_catalogue(visit: CoordinatorVisit, link_id: str) -> Response:
    """Our catalogue, exactly as this cooperative is told of it."""
    cursor = {"cursor": visit.query["cursor"]} if visit.query["cursor"] else {}
    link, seen = await asyncio.gather(
        visit.get("federation", f"/links/{link_id}"), visit.get("federation", f"/links/{link_id}/catalogue", **cursor)
    )
    return await visit.page("link_catalogue.html", link=link, seen=items(seen), next=seen["next"])


@router.get("/{link_id}/copies")
async def show_copies(visit: CoordinatorVisit, link_id: str) -> Response:
    """What of ours this cooperative still holds."""
    cursor = {"cursor": visit.query["cursor"]} if visit.query["cursor"] else {}
    link, told = await asyncio.gather(
        visit.get("federation", f"/links/{link_id}"), visit.get("federation", f"/links/{link_id}/copies", **cursor)
    )
    return await visit.page("link_copies.html", link=link, told=items(told), next=told["next"])


@router.get("/{link_id}/limits")
async def show_limits(visit: CoordinatorVisit, link_id: str) -> Response:
    """What goes to this cooperative, and what does not."""
    return await _limits_page(visit, link_id, None)


@router.post("/{link_id}/limits")
async def save_limits(visit: CoordinatorVisit, link_id: str) -> Response:
    """Set the limits; what no longer may go there is withdrawn."""
    form = await visit.form()
    at_most = form.or_none("open_requests_at_most")
    body: dict[str, Any] = {
        "share_kinds": None if form["kinds"] != "some" else form.all("share_kinds"),
        "share_circles": None if form["circles"] != "some" else form.all("share_circles"),
        "withheld": form.all("withheld"),
        "open_requests_at_most": int(at_most) if at_most and at_most.isdigit() else at_most,
    }
    try:
        await visit.send("federation", "PUT", f"/links/{link_id}/limits", body)
    except Refusal as refusal:
        return await _limits_page(visit, link_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/links/{link_id}", flash="link-limited")


async def _limits_page(visit: Visit, link_id: str, form: Form | None, *, status: int = 200) -> Response:
    link, circles = await asyncio.gather(
        visit.get("federation", f"/links/{link_id}"), visit.try_get("identity", "/circles")
    )
    form = form or _as_it_is(link["limits"])
    return await visit.page(
        "link_limits.html", status=status, link=link, circles=items(circles), kinds=KINDS, form=form
    )


def _as_it_is(limits: Json) -> Form:
    kinds, circles = limits["share_kinds"], limits["share_circles"]
    return filled(
        kinds=ALL if kinds is None else "some",
        share_kinds=kinds or [],
        circles=ALL if circles is None else "some",
        share_circles=circles or [],
        withheld=limits["withheld"],
        open_requests_at_most=limits["open_requests_at_most"],
    )


@router.get("/{link_id}/block")
async def ask_block(visit: CoordinatorVisit, link_id: str) -> Response:
    """What blocking does, before it happens."""
    return await visit.page("link_block.html", link=await visit.get("federation", f"/links/{link_id}"), form=Form())


@router.post("/{link_id}/block")
async def block(visit: CoordinatorVisit, link_id: str) -> Response:
    """End the link and make none again."""
    form = await visit.form()
    try:
        await visit.send("federation", "POST", f"/links/{link_id}/block")
    except Refusal as refusal:
        link = await visit.get("federation", f"/links/{link_id}")
        return await visit.page("link_block.html", link=link, form=form.refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/links", flash="peer-blocked")


@router.post("/blocks/{peer_id}/lift")
async def lift_block(visit: CoordinatorVisit, peer_id: str) -> Response:
    """Links may be made again."""
    await visit.form()
    await visit.send("federation", "DELETE", f"/blocks/{peer_id}")
    return visit.redirect("/coordination/links", flash="peer-unblocked")


@router.post("/recovery/end")
async def end_recovery(visit: CoordinatorVisit) -> Response:
    """An administrator goes on without those that do not answer."""
    await visit.form()
    await visit.send("federation", "DELETE", "/recovery")
    return visit.redirect("/coordination/links", flash="recovery-ended")

"""Circles: who we are, what we share."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/circles")


@router.get("")
async def show_circles(visit: MemberVisit) -> Response:
    """All circles, mine first, and a form for a new one."""
    return await _list_page(visit, Form())


async def _list_page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    circles = sorted(
        items(await visit.get("identity", "/circles")), key=lambda one: (not one["mine"], str(one["name"]).casefold())
    )
    return await visit.page("circles.html", circles=circles, form=form, status=status)


@router.post("")
async def make_circle(visit: MemberVisit) -> Response:
    """A new circle; who makes it belongs to it."""
    form = await visit.form()
    body = {"name": form["name"], "purpose": form["purpose"]}
    try:
        circle = await visit.send("identity", "POST", "/circles", body, key=form.key)
    except Refusal as refusal:
        return await _list_page(visit, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/circles/{circle['id']}", flash="circle-made")


@router.get("/{circle_id}")
async def show_circle(visit: MemberVisit, circle_id: str) -> Response:
    """One circle with its members."""
    return await _circle_page(visit, circle_id)


async def _circle_page(visit: Visit, circle_id: str, form: Form | None = None, *, status: int = 200) -> Response:
    circle = await visit.get("identity", f"/circles/{circle_id}")
    may_change = visit.member is not None and (circle["mine"] or visit.member.is_coordinator)
    looked_for = visit.query["who"]
    found = await visit.try_get("identity", "/members", q=looked_for, limit=10) if may_change and looked_for else None
    inside = {member["id"] for member in circle["members"]}
    return await visit.page(
        "circle.html",
        status=status,
        circle=circle,
        may_change=may_change,
        looked_for=looked_for,
        found=[one for one in items(found) if one["id"] not in inside] if found else None,
        form=form or filled(name=circle["name"], purpose=circle["purpose"]),
    )


@router.post("/{circle_id}")
async def change_circle(visit: MemberVisit, circle_id: str) -> Response:
    """Another name or purpose."""
    form = await visit.form()
    body = {"name": form["name"], "purpose": form["purpose"]}
    try:
        await visit.send("identity", "PATCH", f"/circles/{circle_id}", body)
    except Refusal as refusal:
        return await _circle_page(visit, circle_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/circles/{circle_id}", flash="saved")


@router.post("/{circle_id}/members")
async def change_members(visit: MemberVisit, circle_id: str) -> Response:
    """Add or remove one person (`add`, `remove`: the member's id)."""
    form = await visit.form()
    adding = bool(form["add"])
    member = form["add"] or form["remove"]
    try:
        await visit.send("identity", "PUT" if adding else "DELETE", f"/circles/{circle_id}/members/{member}")
    except Refusal as refusal:
        return await _circle_page(visit, circle_id, _only_problem(refusal), status=refusal.status)
    return visit.redirect(f"/circles/{circle_id}", flash="joined" if adding else "saved")


def _only_problem(refusal: Refusal) -> Form:
    return Form().refused(refusal)


@router.get("/{circle_id}/close")
async def ask_close(visit: MemberVisit, circle_id: str) -> Response:
    """What closing does, before it happens."""
    circle = await visit.get("identity", f"/circles/{circle_id}")
    return await visit.page("circle_close.html", circle=circle, form=Form())


@router.post("/{circle_id}/close")
async def close(visit: MemberVisit, circle_id: str) -> Response:
    """Close it."""
    form = await visit.form()
    try:
        await visit.send("identity", "POST", f"/circles/{circle_id}/close")
    except Refusal as refusal:
        circle = await visit.get("identity", f"/circles/{circle_id}")
        return await visit.page("circle_close.html", circle=circle, form=form.refused(refusal), status=refusal.status)
    return visit.redirect("/circles", flash="circle-closed")

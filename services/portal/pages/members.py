"""`/coordination/members`: invite, give roles, say goodbye."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/members")


@router.get("")
async def show_members(visit: CoordinatorVisit) -> Response:
    """Everybody, with a search, and the invitations that wait."""
    return await _page(visit, filled(role="member"))


async def _page(visit: Visit, form: Form, *, problem: Refusal | None = None, status: int = 200) -> Response:
    page, invitations = await asyncio.gather(
        visit.get("identity", "/members", q=visit.query["q"], cursor=visit.query["cursor"]),
        visit.try_get("identity", "/invitations"),
    )
    return await visit.page(
        "members.html",
        status=status,
        form=form,
        problem=problem,
        q=visit.query["q"],
        members=items(page),
        following=page.get("next"),
        invitations=items(invitations),
    )


@router.post("/invite")
async def invite(visit: CoordinatorVisit) -> Response:
    """Send an invitation by mail."""
    form = await visit.form()
    body = {"email": form["email"], "name": form.or_none("name"), "role": form["role"] or "member"}
    try:
        await visit.send("identity", "POST", "/invitations", body, key=form.key)
    except Refusal as refusal:
        return await _page(visit, form.refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/members", flash="member-invited")


@router.post("/invitations/{invitation_id}/revoke")
async def revoke(visit: CoordinatorVisit, invitation_id: str) -> Response:
    """Take an invitation back."""
    await visit.form()
    try:
        await visit.send("identity", "DELETE", f"/invitations/{invitation_id}")
    except Refusal as refusal:
        return await _page(visit, filled(role="member"), problem=refusal, status=refusal.status)
    return visit.redirect("/coordination/members", flash="invitation-revoked")


@router.get("/{member_id}")
async def show_member(visit: CoordinatorVisit, member_id: str) -> Response:
    """One member: role, and leaving."""
    return await _member_page(visit, member_id, None)


async def _member_page(visit: Visit, member_id: str, form: Form | None, *, status: int = 200) -> Response:
    person = await visit.get("identity", f"/members/{member_id}")
    return await visit.page("member.html", person=person, form=form or filled(role=person["role"]), status=status)


@router.post("/{member_id}/role")
async def change_role(visit: CoordinatorVisit, member_id: str) -> Response:
    """Give another role."""
    form = await visit.form()
    try:
        await visit.send("identity", "PATCH", f"/members/{member_id}", {"role": form["role"]})
    except Refusal as refusal:
        return await _member_page(visit, member_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/members/{member_id}", flash="role-changed")


@router.post("/{member_id}/second-factor")
async def reset_second_factor(visit: CoordinatorVisit, member_id: str) -> Response:
    """Take the second factor off for somebody who has lost it (asked twice: a box to tick)."""
    form = await visit.form()
    if form["heard"] != "yes":
        form.errors["heard"] = visit.say("Cochez la case pour confirmer.")
        return await _member_page(visit, member_id, form, status=422)
    try:
        await visit.send("identity", "POST", f"/members/{member_id}/second-factor/reset")
    except Refusal as refusal:
        return await _member_page(visit, member_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/members/{member_id}", flash="second-factor-reset")


@router.post("/{member_id}/sign-out")
async def sign_out(visit: CoordinatorVisit, member_id: str) -> Response:
    """Close all sessions of somebody whose account may be in wrong hands."""
    form = await visit.form()
    try:
        await visit.send("identity", "POST", f"/members/{member_id}/sign-out")
    except Refusal as refusal:
        return await _member_page(visit, member_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/members/{member_id}", flash="member-signed-out")


@router.post("/{member_id}/leave")
async def leave(visit: CoordinatorVisit, member_id: str) -> Response:
    """End the membership (asked twice: a box to tick)."""
    form = await visit.form()
    if form["sure"] != "yes":
        form.errors["sure"] = visit.say("Cochez la case pour confirmer.")
        return await _member_page(visit, member_id, form, status=422)
    try:
        await visit.send("identity", "POST", f"/members/{member_id}/leave")
    except Refusal as refusal:
        return await _member_page(visit, member_id, form.refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/members", flash="member-left")

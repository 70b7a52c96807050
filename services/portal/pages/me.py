"""`/me`: what others see of me, how I sign in, what I am told."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.forms import Form, filled
from services.portal.pages import account
from services.portal.pages.home import items
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/me")
_FORMS = ("profile", "password", "email", "notifications", "leave")


@router.get("")
async def show_me(visit: MemberVisit) -> Response:
    """My account."""
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, **typed: Form) -> Response:
    profile, preferences, offers, needs = await asyncio.gather(
        visit.get("identity", "/me"),
        visit.try_get("notify", "/preferences"),
        visit.try_get("catalog", "/listings", side="offer", mine="true", limit=50),
        visit.try_get("catalog", "/listings", side="need", mine="true", limit=50),
    )
    forms = {
        "profile": filled(name=profile["name"], locale=profile["locale"]),
        "password": Form(),
        "email": Form(),
        "notifications": filled(by_mail=preferences["email"] if preferences else ""),
        "leave": Form(),
    }
    return await visit.page(
        "me.html",
        status=status,
        profile=profile,
        preferences=preferences,
        offers=items(offers),
        needs=items(needs),
        **{f"{name}_form": typed.get(name, forms[name]) for name in _FORMS},
    )


@router.post("/profile")
async def change_profile(visit: MemberVisit) -> Response:
    """Name and language."""
    form = await visit.form()
    try:
        await visit.send("identity", "PATCH", "/me", {"name": form["name"], "locale": form["locale"]})
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, profile=form.refused(refusal))
    if visit.secret is not None:
        visit.portal.sessions.forget(visit.secret)
    visit.cookies["language"] = None
    return visit.redirect("/me", flash="saved")


@router.post("/password")
async def change_password(visit: MemberVisit) -> Response:
    """A new password, given the present one."""
    form = await visit.form()
    body = {"current": form.raw("current"), "new": form.raw("new"), "code": form["code_now"], "device": visit.device}
    try:
        answer = await visit.send("identity", "POST", "/me/password", body)
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, password=form.refused(refusal, {"code": "code_now"}))
    account.keep_session(visit, answer)
    return visit.redirect("/me", flash="password-changed")


@router.post("/email")
async def change_email(visit: MemberVisit) -> Response:
    """Ask for another address; it counts once it is confirmed."""
    form = await visit.form()
    body = {"email": form["email"], "password": form.raw("password"), "code": form["code"]}
    try:
        await visit.send("identity", "POST", "/me/email", body)
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, email=form.refused(refusal))
    return visit.redirect("/me", flash="email-sent")


@router.post("/notifications")
async def change_notifications(visit: MemberVisit) -> Response:
    """What comes by mail."""
    form = await visit.form()
    try:
        await visit.send("notify", "PUT", "/preferences", {"email": form["by_mail"]})
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, notifications=form.refused(refusal, {"email": "by_mail"}))
    return visit.redirect("/me", flash="saved")


@router.get("/leave")
async def ask_leave(visit: MemberVisit) -> Response:
    """What leaving means, before it happens."""
    return await visit.page("me_leave.html", form=Form())


@router.post("/leave")
async def leave(visit: MemberVisit) -> Response:
    """Leave the cooperative."""
    form = await visit.form()
    if visit.member is None or form["sure"] != "yes":
        form.errors["sure"] = visit.say("Cochez la case pour confirmer.")
        return await visit.page("me_leave.html", form=form, status=422)
    try:
        await visit.send("identity", "POST", f"/members/{visit.member.id}/leave")
    except Refusal as refusal:
        return await visit.page("me_leave.html", form=form.refused(refusal), status=refusal.status)
    if visit.secret is not None:
        visit.portal.sessions.forget(visit.secret)
    visit.cookies["session"] = None
    return visit.redirect("/", flash="left")

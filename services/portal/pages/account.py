"""Signing in and out, joining by invitation, a new password, a confirmed address."""

import asyncio
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.visit import Visit, VisitDep

router = APIRouter(prefix="/account")
_SESSION_SECONDS = 30 * 24 * 3600
_STEP_SECONDS = 5 * 60


@router.get("/sign-in")
async def show_sign_in(visit: VisitDep) -> Response:
    """The form; somebody who is in already goes on."""
    if visit.member is not None:
        return visit.redirect(visit.query["next"] or "/")
    return await _sign_in_page(visit, filled(next=visit.query["next"]))


@router.post("/sign-in")
async def sign_in(visit: VisitDep) -> Response:
    """Open a session and keep its secret in the cookie."""
    form = await visit.form()
    try:
        answer = await visit.send(
            "identity",
            "POST",
            "/sessions",
            {"email": form["email"], "password": form.raw("password"), "device": visit.device},
        )
    except Refusal as refusal:
        return await _sign_in_page(visit, form.refused(refusal), status=refusal.status)
    if "step" in answer:
        visit.cookies["step"] = (str(answer["step"]), _STEP_SECONDS)
        return visit.redirect(f"/account/second-step?next={quote(form['next'], safe='')}")
    return await _signed_in(visit, answer, form["next"])


async def _signed_in(visit: Visit, answer: Json, path: str) -> Response:
    await asyncio.shield(_end_session(visit))
    keep_session(visit, answer)
    return visit.redirect(path or "/", flash="signed-in")


@router.get("/second-step")
async def show_second_step(visit: VisitDep) -> Response:
    """Ask for the code, after the password."""
    if _step(visit) is None:
        return visit.redirect("/account/sign-in")
    return await _second_step_page(visit, filled(next=visit.query["next"]))


@router.post("/second-step")
async def take_second_step(visit: VisitDep) -> Response:
    """Sign in with the code."""
    form = await visit.form()
    step = _step(visit)
    if step is None:
        return visit.redirect("/account/sign-in")
    try:
        answer = await visit.send("identity", "POST", "/sessions/second-step", {"step": step, "code": form["code"]})
    except Refusal as refusal:
        if refusal.slug == "identity/step-ended":
            visit.cookies["step"] = None
            return await _sign_in_page(visit, form.refused(refusal), status=refusal.status)
        return await _second_step_page(visit, form.refused(refusal), status=refusal.status)
    visit.cookies["step"] = None
    return await _signed_in(visit, answer, form["next"])


def _step(visit: Visit) -> str | None:
    """What identity answered to the password."""
    return visit.request.cookies.get(visit.portal.cookie("step"))


async def _second_step_page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    return await visit.page("account_second_step.html", form=form, status=status)


async def _sign_in_page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    return await visit.page("account_sign_in.html", form=form, status=status)


def keep_session(visit: Visit, answer: Json) -> None:
    """Keep the secret that identity answered in the cookie; the page's language is the member's from now on."""
    visit.cookies["session"] = (str(answer["session"]), _SESSION_SECONDS)
    visit.cookies["language"] = None


@router.post("/sign-out")
async def sign_out(visit: VisitDep) -> Response:
    """End the session here and at identity."""
    await visit.form()
    await _end_session(visit)
    return visit.redirect("/", flash="signed-out")


async def _end_session(visit: Visit) -> None:
    visit.cookies["session"] = None
    if visit.secret is None:
        return
    visit.portal.sessions.forget(visit.secret)
    try:
        await visit.with_session("DELETE", "/sessions/current")
    except Refusal:
        visit.missing.append("identity")


@router.get("/join/{token}")
async def show_join(visit: VisitDep, token: str) -> Response:
    """Who invites whom, and the form of a new account."""
    invitation = await visit.get("identity", f"/invitations/by-token/{token}")
    return await _join_page(visit, invitation, filled(name=invitation["name"], locale=visit.language))


@router.post("/join/{token}")
async def join(visit: VisitDep, token: str) -> Response:
    """Make the account and sign in."""
    form = await visit.form()
    body = {"token": token, "name": form["name"], "password": form.raw("password"), "locale": form["locale"]}
    body["device"] = visit.device
    try:
        answer = await visit.send("identity", "POST", "/invitations/accept", body, key=form.key)
    except Refusal as refusal:
        invitation = await visit.get("identity", f"/invitations/by-token/{token}")
        return await _join_page(visit, invitation, form.refused(refusal), status=refusal.status)
    await asyncio.shield(_end_session(visit))
    keep_session(visit, answer)
    return visit.redirect("/", flash="welcome")


async def _join_page(visit: Visit, invitation: Json, form: Form, *, status: int = 200) -> Response:
    return await visit.page("account_join.html", invitation=invitation, form=form, status=status)


@router.get("/reset")
async def show_reset(visit: VisitDep) -> Response:
    """Ask for a link to a new password."""
    return await visit.page("account_reset.html", form=Form())


@router.post("/reset")
async def ask_reset(visit: VisitDep) -> Response:
    """The same answer whether the address is known or not."""
    form = await visit.form()
    try:
        await visit.send("identity", "POST", "/password-resets", {"email": form["email"]})
    except Refusal as refusal:
        return await visit.page("account_reset.html", form=form.refused(refusal), status=refusal.status)
    return visit.redirect("/account/sign-in", flash="reset-sent")


@router.get("/reset/{token}")
async def show_new_password(visit: VisitDep, token: str) -> Response:
    """Choose a new password."""
    return await visit.page("account_new_password.html", form=Form(), token=token)


@router.post("/reset/{token}")
async def set_new_password(visit: VisitDep, token: str) -> Response:
    """Every session ends; sign in with the new one."""
    form = await visit.form()
    body = {"token": token, "password": form.raw("password")}
    try:
        await visit.send("identity", "POST", "/password-resets/complete", body)
    except Refusal as refusal:
        return await visit.page(
            "account_new_password.html", form=form.refused(refusal), token=token, status=refusal.status
        )
    await asyncio.shield(_end_session(visit))
    return visit.redirect("/account/sign-in", flash="password-changed")


@router.get("/email/{token}")
async def show_confirm_email(visit: VisitDep, token: str) -> Response:
    """A button, so that mail scanners that follow links change nothing."""
    return await visit.page("account_email.html", form=Form(), token=token)


@router.post("/email/{token}")
async def confirm_email(visit: VisitDep, token: str) -> Response:
    """The new address counts from now on."""
    form = await visit.form()
    try:
        await visit.send("identity", "POST", "/email-confirmations", {"token": token})
    except Refusal as refusal:
        return await visit.page("account_email.html", form=form.refused(refusal), token=token, status=refusal.status)
    return visit.redirect("/me" if visit.member else "/account/sign-in", flash="email-changed")

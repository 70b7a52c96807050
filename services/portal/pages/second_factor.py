"""`/me/second-factor`: a second step for signing in, its recovery codes, and taking it off."""

import re

import segno
from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.pages.account import keep_session
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/second-factor")
_KEY = re.compile(r"[A-Z2-7]{32}")
_URI = re.compile(r"otpauth://totp/[!-~]{1,600}")


@router.get("")
async def show_second_factor(visit: MemberVisit) -> Response:
    """Whether it is on, and what can be done about it."""
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, **typed: Form) -> Response:
    state = await visit.get("identity", "/me/second-factor")
    forms = {name: typed.get(name, Form()) for name in ("start_form", "codes_form", "remove_form")}
    return await visit.page("second_factor.html", status=status, state=state, **forms)


@router.post("/start")
async def start(visit: MemberVisit) -> Response:
    """Show a new key for the app; it is on the page that answers, and never again."""
    form = await visit.form()
    try:
        made = await visit.send("identity", "POST", "/me/second-factor/start", {"password": form.raw("password")})
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, start_form=form.refused(refusal))
    return await _key_page(visit, made, Form())


async def _key_page(visit: Visit, made: Json, form: Form, *, status: int = 200) -> Response:
    key = str(made["key"])
    groups = " ".join(key[at : at + 4] for at in range(0, len(key), 4))
    picture = _picture(str(made["uri"])) if made["uri"] else None
    return await visit.page(
        "second_factor_key.html", status=status, groups=groups, made=made, form=form, picture=picture
    )


def _picture(uri: str) -> Json:
    """`uri` as a QR code: how many modules it is wide, quiet zone included, and the SVG path of the dark ones."""
    rows = list(segno.make_qr(uri, error="m").matrix_iter(border=4))
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return {"size": len(rows), "path": "".join(dark)}


@router.post("/confirm")
async def confirm(visit: MemberVisit) -> Response:
    """Give the first code: it is on, and the recovery codes are on the page that answers."""
    form = await visit.form()
    try:
        answer = await visit.send(
            "identity", "POST", "/me/second-factor/confirm", {"code": form["code"], "device": visit.device}
        )
    except Refusal as refusal:
        form.refused(refusal)
        if _KEY.fullmatch(form["app_key"]) is None:
            return await _page(visit, status=refusal.status, start_form=form)
        shown = {"key": form["app_key"], "uri": form["uri"] if _URI.fullmatch(form["uri"]) else ""}
        return await _key_page(visit, shown, form, status=refusal.status)
    renew_session(visit, answer)
    return await _codes_page(visit, answer)


async def _codes_page(visit: Visit, answer: Json) -> Response:
    return await visit.page("second_factor_codes.html", recovery_codes=answer["recovery_codes"])


@router.post("/recovery-codes")
async def renew_recovery_codes(visit: MemberVisit) -> Response:
    """Ten new codes, on the page that answers."""
    form = await visit.form()
    body = {"password": form.raw("password"), "code": form["code"]}
    try:
        answer = await visit.send("identity", "POST", "/me/second-factor/recovery-codes", body)
    except Refusal as refusal:
        return await _page(visit, status=refusal.status, codes_form=form.refused(refusal))
    return await _codes_page(visit, answer)


@router.post("/remove")
async def remove(visit: MemberVisit) -> Response:
    """Take it off, with password and code."""
    form = await visit.form()
    body = {"password": form.raw("password_now"), "code": form["code_now"], "device": visit.device}
    try:
        answer = await visit.send("identity", "POST", "/me/second-factor/remove", body)
    except Refusal as refusal:
        form.refused(refusal, {"password": "password_now", "code": "code_now"})
        return await _page(visit, status=refusal.status, remove_form=form)
    renew_session(visit, answer)
    return visit.redirect("/me/second-factor", flash="second-factor-off")


def renew_session(visit: Visit, answer: Json) -> None:
    """The session before has ended with the change; go on with the one that was answered."""
    if visit.secret is not None:
        visit.portal.sessions.forget(visit.secret)
    keep_session(visit, answer)
    visit.secret = str(answer["session"])

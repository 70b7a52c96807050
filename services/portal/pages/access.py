"""`/me/access`: where I am signed in, and the tokens of my scripts."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/access")


@router.get("")
async def show_access(visit: MemberVisit) -> Response:
    """Sessions and tokens."""
    return await _page(visit)


async def _page(
    visit: Visit, *, made: Json | None = None, given: Form | None = None, problem: Form | None = None, status: int = 200
) -> Response:
    """`made`: a token with its secret, shown this once. `given`: what was typed; `problem`: of a button."""
    sessions, tokens, profile = await asyncio.gather(
        visit.with_session("GET", "/sessions"),
        visit.try_get("identity", "/me/tokens"),
        visit.try_get("identity", "/me"),
    )
    return await visit.page(
        "access.html",
        status=status,
        sessions=items(sessions),
        tokens=items(tokens),
        known=tokens is not None,
        made=made,
        profile=profile or {},
        form=given or filled(days="90"),
        problem_form=problem or Form(),
    )


@router.post("/sessions/end-others")
async def end_others(visit: MemberVisit) -> Response:
    """Sign out everywhere but here."""
    await visit.form()
    await visit.with_session("POST", "/sessions/end-others")
    return visit.redirect("/me/access", flash="others-signed-out")


@router.post("/sessions/{session_id}/end")
async def end_session(visit: MemberVisit, session_id: str) -> Response:
    """Sign out there."""
    await visit.form()
    await visit.with_session("DELETE", f"/sessions/{session_id}")
    return visit.redirect("/me/access", flash="session-ended")


@router.post("/tokens")
async def make_token(visit: MemberVisit) -> Response:
    """Make a token; its secret is on the page that answers, and never again."""
    form = await visit.form()
    body = {
        "name": form["name"],
        "scopes": form.all("scopes"),
        "days": form["days"] or None,
        "password": form.raw("password"),
        "code": form["code"],
    }
    try:
        made = await visit.send("identity", "POST", "/me/tokens", body)
    except Refusal as refusal:
        return await _page(visit, given=form.refused(refusal), status=refusal.status)
    return await _page(visit, made=made)


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(visit: MemberVisit, token_id: str) -> Response:
    """Delete a token."""
    form = await visit.form()
    try:
        await visit.send("identity", "DELETE", f"/me/tokens/{token_id}")
    except Refusal as refusal:
        return await _page(visit, problem=form.refused(refusal), status=refusal.status)
    return visit.redirect("/me/access", flash="token-revoked")

"""Sessions: when, which role, who comes; and a seat for me."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items, series_once
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/sessions")
_ROWS = 30
_STATES = {"taken": "seat-taken", "waiting": "seat-waiting", "offered": "seat-waiting"}


@router.get("")
async def show_sessions(visit: MemberVisit) -> Response:
    """Those that are mine, and those that I could join; or all dates of a series (`series`)."""
    now, series = datetime.now(UTC).isoformat(), visit.query["series"]
    if series:
        dates = await visit.try_get("booking", "/sessions", series_id=series, from_=now, limit=60)
        return await visit.page("sessions_series.html", dates=items(dates))
    mine, coming = await asyncio.gather(
        visit.try_get("booking", "/sessions", mine="true", from_=now, limit=_ROWS),
        visit.try_get("booking", "/sessions", from_=now, limit=_ROWS, cursor=visit.query["cursor"]),
    )
    known = {one["id"] for one in items(mine)}
    return await visit.page(
        "sessions.html",
        mine=series_once(items(mine)),
        nearest=next((one for one in items(mine) if one["status"] == "planned" and _holds(one)), None),
        offered=[one for one in items(mine) if one["mine"] and one["mine"]["state"] == "offered"],
        coming=series_once([one for one in items(coming) if one["id"] not in known]),
        following=coming.get("next") if coming else None,
    )


def _holds(session: Json) -> bool:
    return bool(session["mine"]) and session["mine"]["state"] == "taken"


@router.get("/{session_id}")
async def show_session(visit: MemberVisit, session_id: str) -> Response:
    """One session: its seats by role, its steps on the clock, and what I can do."""
    return await session_page(visit, session_id, None)


async def session_page(visit: Visit, session_id: str, form: Form | None, *, status: int = 200) -> Response:
    """The page, with what was said about `form`."""
    session = await visit.get("booking", f"/sessions/{session_id}")
    mine: Json = session["mine"] or {}
    answers = {f"answers_{code}": _typed(value) for code, value in (mine.get("answers") or {}).items()}
    wanted = next((role["code"] for role in session["roles"] if role["free"] and not role["i_must_wait"]), "")
    return await visit.page(
        "session.html",
        status=status,
        session=session,
        people=_by_role(session),
        lacking=[role for role in session["roles"] if role["taken"] < role["minimum"]],
        rotating=next((role for role in session["roles"] if role["code"] == session["rotating_role"]), None),
        ahead=session["status"] == "planned" and datetime.fromisoformat(session["start"]) > datetime.now(UTC),
        form=form or filled(role=wanted or session["roles"][0]["code"], **answers),
    )


def _by_role(session: Json) -> dict[str, list[Json]]:
    """Who takes part, by the code of their role, waiting people last."""
    people: dict[str, list[Json]] = {role["code"]: [] for role in session["roles"]}
    for person in sorted(session["participants"] or [], key=lambda one: one["position"] or 0):
        people.setdefault(person["role"], []).append(person)
    return people


def _typed(value: Any) -> str:
    """An answer as a form shows it."""
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value)


@router.post("/{session_id}/sign-up")
async def sign_up(visit: MemberVisit, session_id: str) -> Response:
    """Take a seat, or a place in the waiting list."""
    form = await visit.form()
    session = await visit.get("booking", f"/sessions/{session_id}")
    body = {"role": form["role"], "answers": _answers(session, form)}
    return await _do(visit, session_id, "sign-up", form, body)


@router.post("/{session_id}/accept")
async def accept(visit: MemberVisit, session_id: str) -> Response:
    """Take the seat that was offered."""
    return await _do(visit, session_id, "accept", await visit.form(), {})


@router.post("/{session_id}/leave")
async def leave(visit: MemberVisit, session_id: str) -> Response:
    """Give up a seat, an offer or a place in the list."""
    return await _do(visit, session_id, "leave", await visit.form(), {})


async def _do(visit: Visit, session_id: str, action: str, form: Form, body: Json) -> Response:
    try:
        session = await visit.send("booking", "POST", f"/sessions/{session_id}/{action}", body, key=form.key)
    except Refusal as refusal:
        return await session_page(visit, session_id, form.refused(refusal), status=refusal.status)
    flash = "seat-left" if not session["mine"] else _STATES[session["mine"]["state"]]
    return visit.redirect(f"/sessions/{session_id}", flash=flash)


@router.post("/{session_id}/answers")
async def answer(visit: MemberVisit, session_id: str) -> Response:
    """Other answers to the small questions."""
    form = await visit.form()
    session = await visit.get("booking", f"/sessions/{session_id}")
    body = {"answers": _answers(session, form)}
    try:
        await visit.send("booking", "PUT", f"/sessions/{session_id}/answers", body)
    except Refusal as refusal:
        return await session_page(visit, session_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/sessions/{session_id}", flash="saved")


def _answers(session: Json, form: Form) -> Json:
    """The small questions as booking takes them; what is no number stays as typed, and is refused there."""
    answers: Json = {}
    for extra in session["extras"]:
        typed = form[f"answers_{extra['code']}"]
        if extra["kind"] == "yes_no":
            answers[extra["code"]] = typed == "yes"
        else:
            answers[extra["code"]] = int(typed) if typed.isdecimal() and len(typed) < 6 else (typed or 0)  # noqa: PLR2004 - far beyond any answer
    return answers

"""Planning a session in a minute, changing it, moving it, calling it off."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal import words as codes
from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.looks import slug
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/sessions")

SPARE_ROLES, SPARE_STEPS, SPARE_EXTRAS = 2, 3, 2
_MOST_ROWS = 45
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKS = {"weekly": 1, "fortnightly": 2}
_LAST_WEEK = 5


@router.get("/new")
async def choose_template(visit: MemberVisit) -> Response:
    """First which kind of session, then a form that is filled already."""
    templates = {one["template"]: one for one in items(await visit.get("booking", "/session-templates"))}
    begin = templates.get(visit.query["template"])
    if begin is None:
        return await visit.page("session_choose.html")
    return await _new_page(visit, begin, _beginning(visit, begin))


@router.post("/new")
async def plan_session(visit: MemberVisit) -> Response:
    """Plan it, or a series of them."""
    form = await visit.form()
    templates = {one["template"]: one for one in items(await visit.get("booking", "/session-templates"))}
    begin = templates.get(form["template"]) or templates["open"]
    contents, names = _contents(form)
    zone = visit.portal.settings.time_zone
    known = {role["code"] for role in contents["roles"]}
    body = contents | {
        "template": begin["template"],
        **_period(visit, form, zone),
        "time_zone": zone,
        "circle_id": form.or_none("circle_id"),
        "audience": form["audience"] or "cooperative",
        "audience_circle_ids": form.all("audience_circle_ids"),
        "private": form.has("private", "yes"),
        "rotating_role": form["rotating_role"] if form["rotating_role"] in known else None,
        "organiser_role": form["organiser_role"] if form["organiser_role"] in known else None,
        "repeat": _repeat(form),
    }
    try:
        session = await visit.send("booking", "POST", "/sessions", body, key=form.key)
    except Refusal as refusal:
        return await _new_page(visit, begin, form.refused(refusal, names), status=refusal.status)
    return visit.redirect(
        f"/sessions/{session['id']}", flash="sessions-planned" if body["repeat"] else "session-planned"
    )


async def _new_page(visit: Visit, begin: Json, form: Form, *, status: int = 200) -> Response:
    circles = items(await visit.try_get("identity", "/circles"))
    return await visit.page(
        "session_form.html",
        status=status,
        begin=begin,
        session=None,
        circles=[one for one in circles if one["mine"] and one["status"] == "active"],
        rows=_rows(form),
        form=form,
    )


def _beginning(visit: Visit, begin: Json) -> Form:
    """A form with the template's defaults: a week from today, in the afternoon; a day begins in the morning."""
    zone = ZoneInfo(visit.portal.settings.time_zone)
    day = datetime.now(zone).date() + timedelta(days=7)
    monthly = begin["template"] == "monthly_day"
    if monthly:
        day = _third_thursday_after(day)
    hour = "09:00" if monthly else "14:00"
    name = codes.SESSION_TEMPLATES[begin["template"]][0]
    return filled(
        title="" if begin["template"] == "open" else visit.say(name),
        start=f"{day}T{hour}",
        minutes=begin["minutes"],
        audience="cooperative",
        private="yes" if begin["private"] else "",
        rotating_role=begin["rotating_role"],
        organiser_role=begin["organiser_role"],
        repeat="monthly" if monthly else "",
        times=10 if monthly else 6,
        **_fields(begin),
    )


def _third_thursday_after(day: date) -> date:
    while not (day.weekday() == 3 and 15 <= day.day <= 21):  # noqa: PLR2004 - the third Thursday of a month
        day += timedelta(days=1)
    return day


def _fields(of: Json) -> dict[str, Any]:
    """Roles, steps, questions and note as the form's fields."""
    fields: dict[str, Any] = {"confidentiality": of["confidentiality"], "accept_hours": of.get("accept_hours", 24)}
    parts = (("roles", ("code", "label", "minimum", "maximum")), ("steps", ("title", "minutes")),
             ("extras", ("code", "label", "kind", "maximum")))  # fmt: skip
    for name, keys in parts:
        for place, one in enumerate(of[name]):
            fields |= {f"{name}_{place}_{key}": one[key] for key in keys}
    return fields


def _rows(form: Form) -> dict[str, int]:
    """How many rows each list shows: those with something in them, and some to add."""
    spare = (("roles", "label", SPARE_ROLES), ("steps", "title", SPARE_STEPS), ("extras", "label", SPARE_EXTRAS))
    return {
        name: max([row + 1 for row in _filled_rows(form, name, key)], default=0) + more for name, key, more in spare
    }


def _filled_rows(form: Form, name: str, key: str) -> list[int]:
    return [row for row in range(_MOST_ROWS) if form[f"{name}_{row}_{key}"]]


def _contents(form: Form) -> tuple[Json, dict[str, str]]:
    """The form as booking's ContentsForm, and our names for its fields (rows left empty fall away)."""
    names: dict[str, str] = {}

    def rows(name: str, key: str) -> list[tuple[int, str]]:
        found = _filled_rows(form, name, key)
        for place, row in enumerate(found):
            for part in ("label", "title", "minutes", "minimum", "maximum", "code", "kind"):
                names[f"{name}.{place}.{part}"] = f"{name}_{row}_{part}"
        return [(row, f"{name}_{row}_") for row in found]

    roles = [
        {
            "code": form[f"{at}code"] or _code(form[f"{at}label"], row),
            "label": form[f"{at}label"],
            "minimum": form[f"{at}minimum"] or 0,
            "maximum": form[f"{at}maximum"] or 1,
        }
        for row, at in rows("roles", "label")
    ]
    extras = [
        {
            "code": form[f"{at}code"] or _code(form[f"{at}label"], row),
            "label": form[f"{at}label"],
            "kind": form[f"{at}kind"] or "yes_no",
            "maximum": form[f"{at}maximum"] or 10,
        }
        for row, at in rows("extras", "label")
    ]
    steps = [{"title": form[f"{at}title"], "minutes": form[f"{at}minutes"] or 10} for _, at in rows("steps", "title")]
    texts = {name: form[name] for name in ("title", "text", "confidentiality")}
    where = {"place_label": form.or_none("place_label"), "video_url": form.or_none("video_url")}
    hours = {"accept_hours": form["accept_hours"] or 24}
    return texts | where | hours | {"roles": roles, "steps": steps, "extras": extras}, names


def _code(label: str, row: int) -> str:
    """A code for what people call a role or a question."""
    plain = re.sub(r"[^a-z0-9]+", "_", slug(label)).strip("_")[:30]
    return f"{plain}_{row}" if re.match(r"[a-z]", plain) else f"row_{row}"


def _period(visit: Visit, form: Form, zone: str) -> Json:
    """Start and end on the clocks of `zone`; what is no date stays as it was typed, and is refused there."""
    start = Moments(visit.language, zone).instant(form["start"])
    try:
        begin = datetime.fromisoformat(start).astimezone(UTC)
        end = begin + timedelta(minutes=int(form["minutes"] or 60))
    except (ValueError, OverflowError):
        return {"start": start, "end": start}
    return {"start": begin.isoformat(), "end": end.isoformat()}


def _repeat(form: Form) -> Json | None:
    """What was chosen as an RRULE: each week, each other week, or the same weekday of each month."""
    try:
        first = datetime.fromisoformat(form["start"])
    except ValueError:
        return None
    weekday, times = _WEEKDAYS[first.weekday()], form["times"] or "6"
    if form["repeat"] in _WEEKS:
        return {"rrule": f"FREQ=WEEKLY;INTERVAL={_WEEKS[form['repeat']]};BYDAY={weekday};COUNT={times}"}
    if form["repeat"] != "monthly":
        return None
    week = (first.day - 1) // 7 + 1
    place = -1 if week == _LAST_WEEK else week
    return {"rrule": f"FREQ=MONTHLY;BYDAY={place}{weekday};COUNT={times}"}


@router.get("/{session_id}/edit")
async def show_edit(visit: MemberVisit, session_id: str) -> Response:
    """What is said of the session, its roles and steps."""
    session = await _led(visit, session_id)
    names = ("title", "text", "place_label", "video_url")
    return await _edit_page(visit, session, filled(**{name: session[name] for name in names}, **_fields(session)))


async def _edit_page(visit: Visit, session: Json, form: Form, *, status: int = 200) -> Response:
    return await visit.page(
        "session_form.html", status=status, begin=session, session=session, circles=[], rows=_rows(form), form=form
    )


@router.post("/{session_id}/edit")
async def edit(visit: MemberVisit, session_id: str) -> Response:
    """Change it; seats are kept."""
    form = await visit.form()
    contents, names = _contents(form)
    try:
        await visit.send("booking", "PUT", f"/sessions/{session_id}", contents)
    except Refusal as refusal:
        session = await _led(visit, session_id)
        return await _edit_page(visit, session, form.refused(refusal, names), status=refusal.status)
    return visit.redirect(f"/sessions/{session_id}", flash="saved")


@router.get("/{session_id}/move")
async def show_move(visit: MemberVisit, session_id: str) -> Response:
    """Another time."""
    session = await _led(visit, session_id)
    length = datetime.fromisoformat(session["end"]) - datetime.fromisoformat(session["start"])
    start = Moments(visit.language, session["time_zone"]).field(session["start"])
    form = filled(start=start, minutes=int(length / timedelta(minutes=1)))
    return await visit.page("session_move.html", session=session, form=form)


@router.post("/{session_id}/move")
async def move(visit: MemberVisit, session_id: str) -> Response:
    """Move it; people are told."""
    return await _lead(visit, session_id, "move", "session-moved")


@router.get("/{session_id}/cancel")
async def ask_cancel(visit: MemberVisit, session_id: str) -> Response:
    """What cancelling does, before it happens."""
    return await visit.page("session_cancel.html", session=await _led(visit, session_id), form=Form())


@router.post("/{session_id}/cancel")
async def cancel(visit: MemberVisit, session_id: str) -> Response:
    """Call it off; people are told."""
    return await _lead(visit, session_id, "cancel", "cancelled")


async def _lead(visit: Visit, session_id: str, action: str, flash: str) -> Response:
    form, session = await asyncio.gather(visit.form(), _led(visit, session_id))
    body = {"reason": form["reason"]} if action == "cancel" else _period(visit, form, session["time_zone"])
    try:
        await visit.send("booking", "POST", f"/sessions/{session_id}/{action}", body, key=form.key)
    except Refusal as refusal:
        again = form.refused(refusal)
        return await visit.page(f"session_{action}.html", session=session, form=again, status=refusal.status)
    return visit.redirect(f"/sessions/{session_id}", flash=flash)


async def _led(visit: Visit, session_id: str) -> Json:
    """The session, for somebody who leads it. Raises Refusal."""
    session: Json = await visit.get("booking", f"/sessions/{session_id}")
    if not session["may_lead"]:
        raise Refusal(403, "not-allowed")
    return session

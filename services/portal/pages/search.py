"""`/search`: who has it, near me, at that time."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.visit import MemberVisit, Visit, VisitDep

router = APIRouter()
_FIELDS = ("q", "side", "kind", "origin", "near", "radius", "from", "to", "topic", "tag", "spoken", "sort")
_FOLDED = ("kind", "origin", "near", "from", "to")
_FACETS = {
    **{name: name for name in ("side", "kind", "topic", "tag", "origin")},
    "free": "from",
    "spoken": "spoken",
    "km": "radius",
}
"""The facets that matching counts, and the parameter of this page that each sets."""
_ROWS = 20
_RADIUS = "50"


@router.get("/search")
async def show_search(visit: VisitDep) -> Response:
    """One field, folded criteria, results with their reasons."""
    form = visit.query
    peers, cooperative, topics = await asyncio.gather(
        visit.try_get("federation", "/peers") if visit.member else _none(),
        visit.portal.cooperative(visit.caller),
        visit.try_get("matching", "/categories"),
    )
    try:
        found = await visit.get("matching", "/search", **question(visit, form, cooperative))
    except Refusal as refusal:
        form.refused(refusal, {"radius_km": "radius"})
        found = None
    asked = {name: form[name] for name in _FIELDS if form[name]}
    following = found.get("next") if found else None
    return await visit.page(
        "search.html",
        form=form,
        found=found,
        peers=items(peers),
        topics={one["code"]: one["name"] for one in topics or []},
        facets=_facets(found, {name: form[name] for name in _FIELDS if form[name]}),
        asked=asked,
        chosen=_chosen(asked),
        unfolded=any(form[name] for name in _FOLDED),
        following=f"/search?{urlencode({**asked, 'cursor': following})}" if following else None,
        everywhere=f"/search?{urlencode({name: form[name] for name in ('q', 'side') if form[name]})}",
    )


@router.get("/search/suggestions")
async def suggest(visit: VisitDep) -> Response:
    """What may be meant by what was typed until now, for a script: a list of texts."""
    found = await visit.try_get("matching", "/suggestions", q=visit.query["q"][:200], side=visit.query["side"])
    names = [one["name"] for one in found["categories"]] if found else []
    return JSONResponse([*(found["titles"] if found else []), *names])


@router.get("/search/categories")
async def suggest_categories(visit: MemberVisit) -> Response:
    """The categories that a title fits, for a script: a list of texts."""
    found = await visit.try_get("matching", "/categories", text=visit.query["q"][:200])
    return JSONResponse([one["name"] for one in found or []] if visit.query["q"] else [])


def _facets(found: Json | None, asked: dict[str, str]) -> list[tuple[str, list[tuple[Json, str]]]]:
    """Each facet's name with its choices and where they lead. One that is chosen already is not offered again."""
    counted: dict[str, list[Json]] = (found or {}).get("facets") or {}
    return [
        (name, [(choice, _path(asked | _set(parameter, choice["value"]))) for choice in counted[name]])
        for name, parameter in _FACETS.items()
        if name in counted and parameter not in asked
    ]


def _chosen(asked: dict[str, str]) -> list[tuple[str, str, str]]:
    """What narrows the results: the facet's name, what was chosen, and the way back to without it."""
    found = [(name, asked[name]) for name in ("kind", "topic", "tag", "origin", "spoken") if name in asked]
    if "near" in asked:
        found.append(("km", asked.get("radius") or _RADIUS))
    if "from" in asked or "to" in asked:
        found.append(
            ("free", "/".join(asked.get(name) or asked[other] for name, other in (("from", "to"), ("to", "from"))))
        )
    gone = {"km": ("near", "radius", "sort"), "free": ("from", "to")}
    return [(name, value, _path(_without(asked, gone.get(name, (name,))))) for name, value in found]


def _without(asked: dict[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name not in names}


def _set(parameter: str, value: str) -> dict[str, str]:
    """What choosing `value` puts into the address; days are "first/last"."""
    first, _, last = value.partition("/")
    return {"from": first, "to": last} if parameter == "from" else {parameter: value}


def _path(question: dict[str, str]) -> str:
    return f"/search?{urlencode(question)}" if question else "/search"


def question(visit: Visit, form: Form, cooperative: Json) -> Json:
    """The form as matching asks for it. "near" is "here" (the cooperative's place) or "latitude,longitude"."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    place = cooperative.get("place") or {}
    near = form["near"]
    if near == "here":
        near = f"{place['latitude']},{place['longitude']}" if place.get("latitude") is not None else ""
    until = form["to"] or form["from"]
    return {
        "q": form["q"],
        "side": form["side"],
        "kind": form["kind"],
        "origin": form["origin"],
        "topic": form["topic"],
        "tag": form["tag"],
        "spoken": form["spoken"],
        "sort": form["sort"],
        "near": near,
        "radius_km": (form["radius"] or _RADIUS) if near else "",
        "from_": moments.instant(form["from"]) if form["from"] else "",
        "to": _end_of_day(moments, until) if until else "",
        "cursor": form["cursor"],
        "limit": _ROWS,
    }


def _end_of_day(moments: Moments, typed: str) -> str:
    """The end of a day that was typed; whatever is no date goes on as it is and is refused by the service."""
    instant = moments.instant(typed)
    try:
        day = moments.local(instant)
    except ValueError:
        return instant
    return (day + timedelta(days=1)).isoformat()


async def _none() -> None:
    return None

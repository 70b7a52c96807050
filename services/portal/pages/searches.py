"""Searches that a member keeps: from the search page with one button; listed, changed, removed, stopped by mail."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.pages.search import question
from services.portal.visit import MemberVisit, Visit, VisitDep
from services.portal.words import KINDS

router = APIRouter(prefix="/searches")


@router.get("")
async def show_searches(visit: MemberVisit) -> Response:
    """What is kept, with what each has found."""
    return await _page(visit)


@router.post("")
async def keep_search(visit: MemberVisit) -> Response:
    """Keep what the search page shows. Its name is its words; alerts come each morning until that is changed."""
    form = await visit.form()
    cooperative = await visit.portal.cooperative(visit.caller)
    asked = question(visit, form, cooperative)
    name = form["q"] or visit.say(KINDS.get(form["kind"], "")) or visit.say("Tout ce qui arrive")
    label = (cooperative.get("place") or {}).get("label", "") if form["near"] == "here" else visit.say("ma position")
    body = {
        "name": name[:100],
        "words": form["q"][:500],
        "side": form.or_none("side"),
        "kind": form.or_none("kind"),
        "origin": form.or_none("origin"),
        "around": _around(str(asked["near"]), str(asked["radius_km"]), label),
        "how": "daily",
    }
    try:
        await visit.send("matching", "POST", "/saved-searches", body)
    except Refusal as refusal:
        return await _page(visit, form=form.refused(refusal), status=refusal.status)
    return visit.redirect("/searches", flash="search-kept")


@router.get("/data.json")
async def export_data(visit: MemberVisit) -> Response:
    """All that the search keeps of me, as a file."""
    kept = await visit.get("matching", "/me/data")
    return JSONResponse(kept, headers={"content-disposition": 'attachment; filename="maillage-recherche.json"'})


@router.get("/{search_id}")
async def open_search(visit: MemberVisit, search_id: str) -> Response:
    """What it finds now, the newest first."""
    kept = await _one(visit, search_id)
    return visit.redirect(_results(kept))


@router.post("/{search_id}")
async def change_search(visit: MemberVisit, search_id: str) -> Response:
    """Change it, pause or resume it, or remove it."""
    form = await visit.form()
    kept = await _one(visit, search_id)
    path = f"/saved-searches/{kept['id']}"
    if form["do"] == "remove":
        await visit.send("matching", "DELETE", path)
        return visit.redirect("/searches", flash="search-removed")
    body = kept | {"paused": form["do"] == "pause"} if form["do"] in {"pause", "resume"} else _changed(kept, form)
    try:
        await visit.send("matching", "PUT", path, body)
    except Refusal as refusal:
        return await _page(visit, form=form.refused(refusal), changing=kept["id"], status=refusal.status)
    return visit.redirect("/searches", flash="saved")


@router.get("/{search_id}/stop/{key}")
async def ask_stop(visit: VisitDep, search_id: str, key: str) -> Response:
    """What the link of a mail would stop; nothing is changed by looking."""
    kept = await visit.get("matching", f"/saved-searches/{id_of(search_id)}/stop", key=key)
    return await visit.page("search_stop.html", name=kept["name"], stopped=False)


@router.post("/{search_id}/stop/{key}")
async def stop(visit: VisitDep, search_id: str, key: str) -> Response:
    """Stop its alerts, also without being signed in."""
    await visit.form()
    kept = await visit.send("matching", "POST", f"/saved-searches/{id_of(search_id)}/stop", params={"key": key})
    return await visit.page("search_stop.html", name=kept["name"], stopped=True)


async def _page(visit: Visit, *, form: Form | None = None, changing: str = "", status: int = 200) -> Response:
    kept: list[Json] = await visit.try_get("matching", "/saved-searches") or []
    peers = {one["peer_id"]: one["name"] for one in items(await visit.try_get("federation", "/peers"))}
    forms = {one["id"]: form if form and one["id"] == changing else _shown(one) for one in kept}
    return await visit.page(
        "searches.html",
        status=status,
        kept=kept,
        forms=forms,
        form=form or Form(),
        changing=changing,
        peers=peers,
        results={one["id"]: _results(one) for one in kept},
    )


async def _one(visit: Visit, search_id: str) -> Json:
    """One of mine. Raises Refusal (404)."""
    wanted = id_of(search_id)
    kept: list[Json] = await visit.get("matching", "/saved-searches")
    for one in kept:
        if one["id"] == wanted:
            return one
    raise Refusal(404, "not-found")


def _shown(kept: Json) -> Form:
    around = kept["around"] or {}
    return filled(**{name: kept[name] for name in ("name", "words", "side", "kind", "how")}, radius=_km(around))


def _changed(kept: Json, form: Form) -> Json:
    around: Json | None = kept["around"]
    if around is not None:
        around = around | {"radius_km": form["radius"]} if form["radius"] else None
    changed: Json = {
        "name": form["name"],
        "words": form["words"],
        "side": form.or_none("side"),
        "kind": form.or_none("kind"),
        "how": form["how"],
        "around": around,
    }
    return kept | changed


def _around(near: str, radius_km: str, label: str) -> Json | None:
    latitude, comma, longitude = near.partition(",")
    if not comma:
        return None
    return {"latitude": latitude, "longitude": longitude, "radius_km": radius_km, "label": label[:200]}


def _results(kept: Json) -> str:
    """The search page with these criteria."""
    around = kept["around"]
    asked: dict[str, Any] = {"q": kept["words"], "side": kept["side"], "kind": kept["kind"], "origin": kept["origin"]}
    if around:
        asked |= {"near": f"{around['latitude']},{around['longitude']}", "radius": _km(around)}
    return f"/search?{urlencode({name: value for name, value in (asked | {'sort': 'newest'}).items() if value})}"


def _km(around: Json) -> str:
    return f"{around['radius_km']:g}" if around else ""

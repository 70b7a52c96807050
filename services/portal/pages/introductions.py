"""Being put in touch: ask with a message, answer with one tap; addresses show once both said yes."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.visit import MemberVisit, Visit

router = APIRouter(prefix="/introductions")


@router.get("")
async def show_introductions(visit: MemberVisit) -> Response:
    """What waits for my answer, what I asked for, what is done."""
    all_of_them = items(await visit.try_get("matching", "/introductions"))
    for one in all_of_them:
        one["path"] = path_of(one)
    return await visit.page(
        "introductions.html",
        to_answer=[one for one in all_of_them if one["status"] == "asked" and not one["mine"]],
        asked=[one for one in all_of_them if one["status"] == "asked" and one["mine"]],
        done=[one for one in all_of_them if one["status"] != "asked"],
    )


@router.get("/new")
async def ask_form(visit: MemberVisit) -> Response:
    """The form alone, where a page had no room for it."""
    query = visit.query
    origin = query.or_none("origin")
    thing = await visit.get("catalog", f"/listings/{id_of(query['thing'])}", origin=origin)
    form = filled(thing=thing["id"], origin=origin, need=query.or_none("need"), quantity="", message="")
    return await visit.page("introduction_new.html", form=form, thing=thing)


@router.post("")
async def ask(visit: MemberVisit) -> Response:
    """Ask. What was typed stays when it is refused."""
    form = await visit.form()
    origin = form.or_none("origin")
    body = {
        "thing_id": id_of(form["thing"]),
        "origin": origin,
        "need_id": id_of(form["need"]) if form["need"] else None,
        "message": form["message"],
        "quantity": form.or_none("quantity"),
    }
    try:
        made = await visit.send("matching", "POST", "/introductions", body)
    except Refusal as refusal:
        thing = await visit.get("catalog", f"/listings/{body['thing_id']}", origin=origin)
        form.refused(refusal)
        return await visit.page("introduction_new.html", form=form, thing=thing, status=refusal.status)
    return visit.redirect(path_of(made), flash="introduction-asked")


@router.get("/{introduction_id}")
async def show_introduction(visit: MemberVisit, introduction_id: str) -> Response:
    """One, with the other's address when both said yes."""
    return await _page(visit, id_of(introduction_id), visit.query["peer"])


@router.post("/{introduction_id}")
async def answer(visit: MemberVisit, introduction_id: str) -> Response:
    """Yes, no with a reason, or asking no longer: one tap each."""
    form = await visit.form()
    one, peer = id_of(introduction_id), form["peer"]
    path = f"/introductions/{one}"
    here = path + (f"?{urlencode({'peer': peer})}" if peer else "")
    if form["do"] == "withdraw":
        await visit.send("matching", "POST", f"{path}/withdraw")
        return visit.redirect("/introductions", flash="introduction-withdrawn")
    body = {"accepted": form["do"] == "accept", "reason": form.or_none("reason"), "quantity": form.or_none("quantity")}
    try:
        await visit.send("matching", "POST", f"{path}/answer", body, params={"peer": peer})
    except Refusal as refusal:
        return await _page(visit, one, peer, form=form.refused(refusal), status=refusal.status)
    return visit.redirect(here, flash="introduction-accepted" if body["accepted"] else "introduction-declined")


def path_of(introduction: Json) -> str:
    """Where its page is."""
    query = f"?{urlencode({'peer': introduction['peer']})}" if introduction["peer"] else ""
    return f"/introductions/{introduction['id']}{query}"


async def _page(visit: Visit, one: str, peer: str, *, form: Form | None = None, status: int = 200) -> Response:
    found = await visit.get("matching", f"/introductions/{one}", peer=peer)
    other = found["thing_origin"] or found["peer"] or ""
    contact = None
    if found["status"] == "accepted":
        contact = await visit.try_get("notify", f"/introductions/{one}/contact", peer=other)
    listing = {
        "id": found["thing_id"],
        "origin": found["thing_origin"],
        "side": found["thing_side"] or "offer",
        "title": found["thing_title"],
    }
    return await visit.page(
        "introduction.html", status=status, one=found, contact=contact, thing=listing, form=form or Form()
    )

"""Saying an offer or a need in a minute: new, changed, withdrawn."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.looks import listing_path
from services.portal.moments import Moments
from services.portal.pages.booking_rules import RULE_DEFAULTS, put_rules, rules_page
from services.portal.pages.home import items
from services.portal.pages.listings import id_of
from services.portal.pages.settling import upcoming_of
from services.portal.pages.terms_forms import TERMS_DEFAULTS, refused
from services.portal.visit import MemberVisit, Visit

router = APIRouter()
_ONE_SECOND = timedelta(seconds=1)


@router.get("/offers/new")
@router.get("/needs/new")
async def show_new(visit: MemberVisit) -> Response:
    """An empty form with sensible defaults."""
    side = _side_of(visit)
    cooperative = await visit.portal.cooperative(visit.caller)
    form = filled(
        kind=visit.query["kind"],
        title=visit.query["title"],
        place_label=(cooperative.get("place") or {}).get("label"),
        quantity=1,
        language=visit.language,
        audience_scope="cooperative",
        urgency="normal",
        **RULE_DEFAULTS,
    )
    return await _page(visit, side, form)


@router.post("/offers/new")
@router.post("/needs/new")
async def publish(visit: MemberVisit) -> Response:
    """Publish it; an offer may become bookable in the same step."""
    form = await visit.form()
    side = _side_of(visit)
    try:
        listing = await visit.send("catalog", "POST", "/listings", await _body(visit, side, form), key=form.key)
    except Refusal as refusal:
        return await _page(visit, side, form.refused(refusal), status=refusal.status)
    if side == "need":
        return visit.redirect(listing_path(listing), flash="need-published")
    if form["bookable"]:
        return await _make_bookable(visit, listing, form)
    return visit.redirect(listing_path(listing), flash="offer-published")


async def _make_bookable(visit: Visit, offer: Json, form: Form) -> Response:
    try:
        await put_rules(visit, offer["id"], form, patient=True)
    except Refusal as refusal:
        refused(form, refusal)
        form.key, form.values = uuid4().hex, filled(**TERMS_DEFAULTS).values | form.values
        return await rules_page(visit, offer, form, flash="rules-later", status=refusal.status)
    return visit.redirect(listing_path(offer), flash="offer-published")


@router.get("/offers/{reference}/edit")
@router.get("/needs/{reference}/edit")
async def show_edit(visit: MemberVisit, reference: str) -> Response:
    """The form with what is published now."""
    listing = await _mine(visit, reference)
    return await _page(visit, listing["side"], _form_of(visit, listing), listing=listing)


@router.post("/offers/{reference}/edit")
@router.post("/needs/{reference}/edit")
async def change(visit: MemberVisit, reference: str) -> Response:
    """Publish the changed form."""
    form = await visit.form()
    listing = await _mine(visit, reference)
    body = {**await _body(visit, listing["side"], form), "version": form["version"] or listing["version"]}
    try:
        changed = await visit.send("catalog", "PUT", f"/listings/{listing['id']}", body)
    except Refusal as refusal:
        form.refused(refusal)
        overtaken = refusal.slug == "catalog/changed-meanwhile" or bool(form.errors.pop("version", None))
        if overtaken:  # whoever has looked at what is published now may send it again
            form.values["version"] = [str(refusal.values.get("version") or listing["version"])]
        return await _page(visit, listing["side"], form, listing=listing, overtaken=overtaken, status=refusal.status)
    return visit.redirect(listing_path(changed), flash="changed")


@router.get("/offers/{reference}/withdraw")
@router.get("/needs/{reference}/withdraw")
async def ask_withdraw(visit: MemberVisit, reference: str) -> Response:
    """What withdrawing does, before it happens."""
    listing = await _mine(visit, reference)
    upcoming = await upcoming_of(visit, listing)
    return await visit.page("listing_withdraw.html", listing=listing, form=Form(), upcoming=upcoming)


@router.post("/offers/{reference}/withdraw")
@router.post("/needs/{reference}/withdraw")
async def withdraw(visit: MemberVisit, reference: str) -> Response:
    """Take it out of the catalogue, here and at the peers."""
    form = await visit.form()
    listing = await _mine(visit, reference)
    try:
        await visit.send("catalog", "POST", f"/listings/{listing['id']}/withdraw")
    except Refusal as refusal:
        return await visit.page(
            "listing_withdraw.html", listing=listing, form=form.refused(refusal), upcoming=[], status=refusal.status
        )
    upcoming = await upcoming_of(visit, listing)
    return visit.redirect(f"/to-settle/{listing['id']}" if upcoming else "/me#mine", flash="withdrawn")


async def _mine(visit: Visit, reference: str) -> Json:
    listing = await visit.get("catalog", f"/listings/{id_of(reference)}")
    if not listing["may_edit"]:
        raise Refusal(403, "not-allowed")
    return dict(listing)


async def _page(
    visit: Visit, side: str, form: Form, *, listing: Json | None = None, overtaken: bool = False, status: int = 200
) -> Response:
    circles, peers, topics = await asyncio.gather(
        visit.try_get("identity", "/circles"),
        visit.try_get("federation", "/peers"),
        visit.try_get("matching", "/categories"),
    )
    if "kind" in form.errors:  # what catalog says names the kinds by their codes
        form.errors["kind"] = visit.say("Choisissez de quoi il s'agit.")
    mine = [circle for circle in items(circles) if circle["mine"] and circle["status"] == "active"]
    return await visit.page(
        "listing_form.html",
        side=side,
        form=form,
        listing=listing,
        overtaken=overtaken,
        circles=mine,
        peers=items(peers),
        topics=[one["name"] for one in topics or []],
        status=status,
    )


def _side_of(visit: Visit) -> str:
    return "need" if visit.request.url.path.startswith("/needs") else "offer"


async def _body(visit: Visit, side: str, form: Form) -> Json:
    """The form as catalog's ListingForm. What cannot be read goes as it was typed, and catalog says what is wrong."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    scope = form["audience_scope"]
    return {
        "side": side,
        "kind": form["kind"],
        "title": form["title"],
        "text": form["text"],
        "category": form["category"],
        "tags": [tag for typed in form["tags"].split(",") if (tag := typed.strip())],
        "language": form["language"] or visit.language,
        "place": await _place(visit, form),
        "quantity": form["quantity"] or 1,
        "unit": form["unit"],
        "circle_id": form.or_none("circle_id"),
        "audience": {
            "scope": scope,
            "circle_ids": form.all("audience_circle_ids") if scope == "circle" else [],
            "peer_ids": form.all("audience_peer_ids") if scope == "peers" else [],
        },
        "valid_from": moments.instant(form["valid_from"]) if form["valid_from"] else None,
        "valid_until": _last_day(moments, form["valid_until"]),
        "window_start": moments.instant(form["window_start"]) if form["window_start"] else None,
        "window_end": moments.instant(form["window_end"]) if form["window_end"] else None,
        "urgency": form["urgency"] or "normal",
    }


async def _place(visit: Visit, form: Form) -> Json | None:
    if not form["place_label"]:
        return None
    place: dict[str, Any] = {
        "label": form["place_label"],
        "latitude": form["place_latitude"].replace(",", ".") or None,
        "longitude": form["place_longitude"].replace(",", ".") or None,
    }
    own = (await visit.portal.cooperative(visit.caller)).get("place") or {}
    if place["latitude"] is None and place["label"] == own.get("label"):
        place |= {"latitude": own.get("latitude"), "longitude": own.get("longitude")}
    return place


def _last_day(moments: Moments, typed: str) -> str | None:
    """The end of the last day on which it stands."""
    if not typed:
        return None
    instant = moments.instant(typed)
    try:
        return (moments.local(instant) + timedelta(days=1)).isoformat()
    except ValueError:
        return instant


def _form_of(visit: Visit, listing: Json) -> Form:
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    place, audience = listing["place"] or {}, listing["audience"]
    until = listing["valid_until"]
    return filled(
        **{
            name: listing[name]
            for name in ("kind", "title", "text", "category", "language", "quantity", "unit", "urgency")
        },
        tags=", ".join(listing.get("tags", [])),
        version=listing["version"],
        circle_id=listing.get("circle_id") or listing.get("owner_circle_id"),
        place_label=place.get("label"),
        place_latitude=place.get("latitude"),
        place_longitude=place.get("longitude"),
        audience_scope=audience["scope"],
        audience_circle_ids=audience["circle_ids"],
        audience_peer_ids=audience["peer_ids"],
        valid_from=moments.field(listing["valid_from"])[:10],
        valid_until=(moments.local(until) - _ONE_SECOND).date().isoformat() if until else "",
        window_start=moments.field(listing["window_start"]),
        window_end=moments.field(listing["window_end"]),
    )

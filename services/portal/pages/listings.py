"""An offer: whether it is what I need, and free. A need: who can help."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form, filled
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.pages.lines import line_of
from services.portal.visit import Visit, VisitDep
from services.portal.week import lay_out, shortest_minutes

router = APIRouter()
_ID_LENGTH = 36
_GONE = 410
_MOST_CLOSURES = 4


def id_of(reference: str) -> str:
    """The id at the start of `<id>-<slug>`. Raises Refusal (404) when there is none."""
    try:
        return str(UUID(reference[:_ID_LENGTH]))
    except ValueError:
        raise Refusal(404, "not-found") from None


@router.get("/offers")
@router.get("/needs")
async def browse(visit: VisitDep) -> Response:
    """All of them are found by searching."""
    side = "need" if visit.request.url.path == "/needs" else "offer"
    return visit.redirect(f"/search?side={side}")


@router.get("/offers/{reference}")
async def show_offer(visit: VisitDep, reference: str) -> Response:
    """One of our offers."""
    return await offer_page(visit, reference, None)


@router.get("/from/{origin}/offers/{reference}")
async def show_peer_offer(visit: VisitDep, origin: str, reference: str) -> Response:
    """An offer of a linked cooperative."""
    return await offer_page(visit, reference, origin)


@router.get("/needs/{reference}")
async def show_need(visit: VisitDep, reference: str) -> Response:
    """One of our needs, with what could answer it when it is mine."""
    return await need_page(visit, reference, None)


@router.get("/from/{origin}/needs/{reference}")
async def show_peer_need(visit: VisitDep, origin: str, reference: str) -> Response:
    """A need of a linked cooperative."""
    return await need_page(visit, reference, origin)


async def need_page(visit: Visit, reference: str, origin: str | None) -> Response:
    """The page of a need; matches only for its owner and coordinators."""
    need_id = id_of(reference)
    need = await visit.get("catalog", f"/listings/{need_id}", origin=origin)
    if need["side"] != "need":
        raise Refusal(404, "not-found")
    entitled = visit.member is not None and not origin and (need["mine"] or visit.member.is_coordinator)
    found = await visit.try_get("matching", f"/needs/{need_id}/matches") if entitled else None
    if found and need["mine"]:
        await _note_shown(visit, need_id, found)
    pledges = await visit.try_get("matching", f"/needs/{need_id}/pledges") if visit.member and not origin else None
    status = 200 if need["status"] == "published" or need["may_edit"] else _GONE
    skills = await _skills(visit, need_id, origin)
    shown = {"found": found, "pledges": pledges, "entitled": entitled, "skills": skills}
    return await visit.page("need.html", listing=need, status=status, **shown)


async def _skills(visit: Visit, listing_id: str, origin: str | None) -> list[Json]:
    """Codes of ESCO and ROME that the listing is called like, where files of theirs were read."""
    return await visit.try_get("matching", f"/skills/{listing_id}", origin=origin) or []


async def _note_shown(visit: Visit, need_id: str, found: Json) -> None:
    """Tell matching what its owner sees now; whatever becomes of that, the page is shown."""
    shown = [*items(found), *found.get("near_misses", [])]
    fresh = [{"offer_id": one["id"], "origin": one["origin"]} for one in shown if one.get("status") == "proposed"]
    if not fresh:
        return
    try:
        await visit.send("matching", "POST", f"/needs/{need_id}/seen", {"offers": fresh})
    except Refusal:
        return


async def offer_page(
    visit: Visit, reference: str, origin: str | None, *, form: Form | None = None, status: int = 200
) -> Response:
    """The page of an offer with its week. `form` is a booking that was refused."""
    offer, resource = await offer_and_resource(visit, reference, origin)
    quantity = _quantity(form or visit.query, resource)
    skills, week, circles, held = await asyncio.gather(
        _skills(visit, offer["id"], origin),
        _week(visit, offer["id"], origin, resource, quantity) if resource else none(),
        circles_of(visit) if resource else none(),
        _held(visit, offer["id"]) if resource and not origin else none(),
    )
    if offer["status"] != "published" and not offer["may_edit"]:
        status = _GONE
    return await visit.page(
        "offer.html",
        status=status,
        listing=offer,
        resource=resource,
        skills=skills,
        week=week,
        in_line=await line_of(visit, offer),
        circles=circles or [],
        held=held,
        closures=_closures_ahead(resource) if resource else [],
        form=form or _booking_form(visit, resource, quantity),
    )


async def offer_and_resource(visit: Visit, reference: str, origin: str | None) -> tuple[Json, Json | None]:
    """An offer, and (for members, while it takes bookings) how it can be booked. Raises Refusal when it is a need."""
    offer_id = id_of(reference)
    offer, resource = await asyncio.gather(
        visit.get("catalog", f"/listings/{offer_id}", origin=origin),
        visit.try_get("booking", f"/resources/{offer_id}", origin=origin) if visit.member is not None else none(),
    )
    if offer["side"] != "offer":
        raise Refusal(404, "not-found")
    return offer, resource if resource and resource.get("status", "open") == "open" else None


async def circles_of(visit: Visit) -> list[Json]:
    """The circles that are active; those on whose behalf this member may book are `mine`."""
    return [one for one in items(await visit.try_get("identity", "/circles")) if one["status"] == "active"]


async def _held(visit: Visit, offer_id: str) -> Json | None:
    """What this member keeps of the offer at the moment, having chosen a period but not asked yet."""
    found = await visit.try_get("booking", "/bookings", role="borrower", status="held", offer_id=offer_id, limit=1)
    return next((one for one in items(found) if is_held(one)), None)


def is_held(booking: Json) -> bool:
    """Whether `booking` is a hold whose time is not over."""
    until = booking["decide_by"]
    return booking["status"] == "held" and until is not None and datetime.fromisoformat(until) > datetime.now(UTC)


def _closures_ahead(resource: Json) -> list[Json]:
    today = datetime.now(ZoneInfo(resource["time_zone"])).date().isoformat()
    ahead = sorted((one for one in resource["terms"]["closures"] if one["last"] >= today), key=lambda one: one["first"])
    return ahead[:_MOST_CLOSURES]


def _quantity(form: Form, resource: Json | None) -> int:
    """How many are wanted, within what there is."""
    typed = form["quantity"]
    return max(1, min(int(typed), resource["capacity"])) if resource and typed.isdecimal() else 1


async def _week(visit: Visit, offer_id: str, origin: str | None, resource: Json, quantity: int) -> Json | None:
    zone = ZoneInfo(resource["time_zone"])
    today = datetime.now(zone).date()
    asked = _date_or(visit.query["from"], today)
    availability = await visit.try_get(
        "booking",
        f"/resources/{offer_id}/availability",
        origin=origin,
        from_=asked.isoformat(),
        days=7,
        quantity=quantity if quantity > 1 else None,
    )
    if availability is None:
        return None
    table = lay_out(availability, minimum_minutes=resource["minimum_minutes"], now=datetime.now(UTC))
    day = _date_or(visit.query["day"], _date_or(visit.query["at"][:10], asked))
    return {
        "table": table,
        "day": day if day in table.days else asked,
        "from": asked,
        "quantity": quantity,
        "more": f"&quantity={quantity}" if quantity > 1 else "",
        "earlier": max(today, asked - timedelta(days=7)) if asked > today else None,
        "later": asked + timedelta(days=7),
        "next_free": [_first_of(gap, resource) for gap in availability.get("next_free", [])],
        "as_of": availability.get("as_of"),
    }


def _first_of(gap: Json, resource: Json) -> Json:
    """A free gap, with the shortest booking at its start as what choosing it picks."""
    minutes = shortest_minutes(resource["step_minutes"], resource["minimum_minutes"])
    end = datetime.fromisoformat(gap["start"]) + timedelta(minutes=minutes)
    return {**gap, "pick": f"{gap['start']}/{end.isoformat()}"}


def _booking_form(visit: Visit, resource: Json | None, quantity: int) -> Form:
    """An empty booking, or with the period that was picked (`?at=start/end`)."""
    start, _, end = visit.query["at"].partition("/")
    if resource is None:
        return Form()
    return period_form(visit, resource, start, end, quantity=quantity) or filled(quantity=quantity)


def period_form(visit: Visit, resource: Json, start: str, end: str, **more: Any) -> Form | None:
    """A booking of a period (RFC 3339), shown on the resource's clocks; None when it is no period."""
    moments = Moments(visit.language, resource["time_zone"])
    try:
        shown = {"start": moments.field(start), "end": moments.field(end), "at": f"{start}/{end}"}
    except ValueError:
        return None
    return filled(**shown, **more) if start and end else None


def _date_or(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


async def none() -> None:
    """Nothing to ask for."""
    return

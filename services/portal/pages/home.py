"""`/`: who we are, for a visitor; what waits for me, for a member."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json
from services.portal.visit import Visit, VisitDep

router = APIRouter()
_SHOWN, _SHOWN_OFFERS = 5, 3
_NEEDS_WITH_MATCHES = 3


@router.get("/")
async def show_home(visit: VisitDep) -> Response:
    """The first page."""
    if visit.member is None:
        return await _public(visit)
    if visit.portal.settings.federation_hub:  # nobody has anything of their own there
        return visit.redirect("/coordination" if visit.member.is_coordinator else "/catalogue")
    return await _mine(visit)


async def _public(visit: Visit) -> Response:
    offers, needs = await asyncio.gather(
        visit.try_get("catalog", "/listings", side="offer", limit=9),
        visit.try_get("catalog", "/listings", side="need", limit=6),
    )
    return await visit.page("home_public.html", offers=items(offers), needs=items(needs))


async def _mine(visit: Visit) -> Response:
    now = datetime.now(UTC).isoformat()
    to_decide, borrowed, lent, sessions, needs, news, waiting = await asyncio.gather(
        visit.try_get("booking", "/bookings", role="to_decide", by_series="true", limit=_SHOWN),
        visit.try_get("booking", "/bookings", role="borrower", from_=now, by_series="true", limit=20),
        visit.try_get("booking", "/bookings", role="owner", from_=now, by_series="true", limit=20),
        visit.try_get("booking", "/sessions", mine="true", from_=now, limit=_SHOWN),
        visit.try_get("catalog", "/listings", side="need", mine="true", limit=_NEEDS_WITH_MATCHES),
        visit.try_get("notify", "/inbox", limit=_SHOWN),
        visit.try_get("booking", "/waiting"),
    )
    open_needs = [need for need in items(needs) if need["status"] == "published"]
    matches = await asyncio.gather(*(visit.try_get("matching", f"/needs/{n['id']}/matches") for n in open_needs))
    coming = sorted(
        {b["id"]: b for b in items(borrowed) + items(lent) if is_coming(b)}.values(), key=lambda b: str(b["start"])
    )
    return await visit.page(
        "home.html",
        to_decide=items(to_decide),
        coming=coming[:_SHOWN],
        sessions=[one for one, _ in series_once(items(sessions)) if one["status"] == "planned"],
        needs=[(need, _likely(found)) for need, found in zip(open_needs, matches, strict=True)],
        news=items(news),
        waiting=[one for one in items(waiting) if one["status"] == "offered"],
    )


def _likely(found: Json | None) -> list[Json]:
    """The first offers for a need that are likely what is asked; those that only may be are on the need's page."""
    return [one for one in items(found) if one.get("likely", True)][:_SHOWN_OFFERS]


def is_coming(booking: Json) -> bool:
    """Whether a booking still lies ahead and still stands, or is in use."""
    if booking["status"] in {"in_use", "overdue"} and not booking.get("checked_out_at"):
        return True
    ahead = datetime.fromisoformat(booking["end"]) > datetime.now(UTC)
    return ahead and booking["status"] in {"held", "pending", "confirmed", "cancelling"}


def items(page: Any) -> list[Json]:
    """The items of a list, bare or as a page; none when the part did not answer."""
    if isinstance(page, dict):
        return list(page["items"])
    return list(page) if isinstance(page, list) else []


def series_once(sessions: list[Json]) -> list[tuple[Json, int]]:
    """Each session with how many later dates of its series are left out: those in which this person has no place."""
    shown: list[Json] = []
    first: dict[str, str] = {}
    others: dict[str, int] = {}
    for one in sessions:
        series = one["series_id"]
        if series is None or series not in first or one["mine"]:
            first.setdefault(series or one["id"], one["id"])
            shown.append(one)
        else:
            others[first[series]] = others.get(first[series], 0) + 1
    return [(one, others.get(one["id"], 0)) for one in shown]

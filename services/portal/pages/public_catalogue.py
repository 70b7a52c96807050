"""`/catalogue`: what is shared with everybody, for whoever comes; at a hub, what all its members share so."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.pages.home import items
from services.portal.visit import VisitDep

router = APIRouter()
_ROWS = 30


@router.get("/catalogue")
async def show_public_catalogue(visit: VisitDep) -> Response:
    """Offers and needs, the newest first; the same as JSON at `/api/catalog/listings`."""
    side = visit.query["side"] if visit.query["side"] in {"offer", "need"} else ""
    found = await visit.get("catalog", "/listings", side=side, cursor=visit.query["cursor"], limit=_ROWS)
    more = {"side": side, "cursor": found["next"]}
    following = f"/catalogue?{urlencode({name: value for name, value in more.items() if value})}"
    return await visit.page(
        "public_catalogue.html", listings=items(found), side=side, following=following if found["next"] else None
    )

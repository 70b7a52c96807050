"""The two choices in the footer: language, light or dark."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.language import LOCALES
from services.portal.visit import VisitDep

router = APIRouter()
_YEAR = 365 * 24 * 3600


@router.post("/choices")
async def choose(visit: VisitDep) -> Response:
    """Keep the choice in a cookie (and the language with the member), and return to the page it was made on."""
    form = await visit.form()
    language, theme = form["language"], form["theme"]
    if language in LOCALES:
        visit.cookies["language"] = (language, _YEAR)
        if visit.member is not None and visit.secret is not None:
            try:
                await visit.send("identity", "PATCH", "/me", {"locale": language})
                visit.portal.sessions.forget(visit.secret)
            except Refusal:
                visit.missing.append("identity")
    if theme in {"light", "dark"}:
        visit.cookies["theme"] = (theme, _YEAR)
    elif theme == "auto":
        visit.cookies["theme"] = None
    came_from = urlsplit(visit.request.headers.get("referer", ""))
    return visit.redirect(came_from.path + (f"?{came_from.query}" if came_from.query else "") or "/")

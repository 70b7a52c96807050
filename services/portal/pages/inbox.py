"""`/inbox`: what is new? Grouped by thing, unread first, live where scripts run."""

from collections.abc import AsyncIterator
from itertools import groupby

import httpx
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from services.portal.client import Json, PartMissing, Refusal
from services.portal.pages.home import items
from services.portal.visit import MemberVisit

router = APIRouter(prefix="/inbox")
_ROWS = 50


@router.get("")
async def show_inbox(visit: MemberVisit) -> Response:
    """The newest messages, those about the same thing together."""
    page = await visit.try_get("notify", "/inbox", cursor=visit.query["cursor"], limit=_ROWS)
    return await visit.page("inbox.html", groups=_grouped(items(page)), following=page.get("next") if page else None)


def _grouped(messages: list[Json]) -> list[list[Json]]:
    """Messages by the thing that they are about: groups with something unread first, then the newest first."""

    def thing(message: Json) -> str:
        about = message.get("about") or {}
        return f"{about.get('type')}/{about.get('origin')}/{about.get('id') or message['id']}"

    groups = [
        sorted(group, key=lambda one: str(one["at"]), reverse=True)
        for _, group in groupby(sorted(messages, key=thing), key=thing)
    ]
    groups.sort(key=lambda group: str(group[0]["at"]), reverse=True)
    groups.sort(key=lambda group: all(one["read"] for one in group))
    return groups


@router.post("/{message_id}/open")
async def open_message(visit: MemberVisit, message_id: str) -> Response:
    """Mark it as read and go to what it is about."""
    form = await visit.form()
    try:
        await visit.send("notify", "POST", f"/inbox/{message_id}/read")
    except PartMissing:
        visit.missing.append("notify")
    return visit.redirect(form["to"] or "/inbox")


@router.post("/read-all")
async def read_all(visit: MemberVisit) -> Response:
    """Mark everything as read."""
    await visit.form()
    await visit.send("notify", "POST", "/inbox/read-all")
    return visit.redirect("/inbox", flash="all-read")


@router.get("/unread")
async def count_unread(visit: MemberVisit) -> Response:
    """How many messages are unread, for a page that comes back into sight."""
    return JSONResponse(await visit.get("notify", "/inbox/unread"))


@router.get("/live")
async def live(visit: MemberVisit) -> Response:
    """Notify's stream of new messages, for the browser's session (server-sent events)."""
    headers = visit.caller.headers() | {"accept": "text/event-stream"}
    if last := visit.request.headers.get("last-event-id"):
        headers["last-event-id"] = last
    services = visit.portal.services
    request = services.streams.build_request("GET", services.url("notify", "/inbox/live"), headers=headers)
    try:
        incoming = await services.streams.send(request, stream=True)
    except httpx.TransportError as error:
        raise PartMissing(503, "unavailable", service="notify") from error
    if not incoming.is_success:
        await incoming.aclose()
        raise Refusal(incoming.status_code)
    return StreamingResponse(_lines(incoming), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _lines(incoming: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in incoming.aiter_raw():
            yield piece
    except httpx.TransportError:
        return
    finally:
        await incoming.aclose()

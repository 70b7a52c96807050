"""`/coordination/links`: whether we are connected to our neighbours, and whether anything is stuck.

What goes to one of them, and what it still holds: `link_sharing.py`.
"""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/links")
MOST_SHOWN = 20
_STEPS = {"confirm": "link-confirmed", "pause": "link-paused", "resume": "link-resumed", "end": "link-ended"}


@router.get("")
async def show_links(visit: CoordinatorVisit) -> Response:
    """One block per cooperative, and two ways to link another one."""
    return await _page(visit, Form())


async def _page(visit: Visit, form: Form, *, invitation: Json | None = None, status: int = 200) -> Response:
    links, invitations, blocks, recovery, members = await asyncio.gather(
        visit.get("federation", "/links"),
        visit.try_get("federation", "/invitations"),
        visit.try_get("federation", "/blocks"),
        visit.try_get("federation", "/recovery"),
        visit.try_get("federation", "/members"),
    )
    hubs: dict[str, list[Json]] = {}
    for one in items(members):
        hubs.setdefault(one["hub_name"], []).append(one)
    ordered = sorted(items(links), key=lambda link: (link["status"] == "ended", str(link["peer_name"]).casefold()))
    behind: dict[str, list[Json]] = {}
    for link in ordered:
        if link["kind"] == "behind":
            behind.setdefault(link["hub_name"], []).append(link)
            hubs.setdefault(link["hub_name"], [])
    return await visit.page(
        "links.html",
        status=status,
        form=form,
        links=ordered,
        behind=behind,
        invitations=items(invitations),
        invitation=invitation,
        blocks=items(blocks),
        recovery=recovery,
        hubs=hubs,
    )


@router.post("/invite")
async def invite(visit: CoordinatorVisit) -> Response:
    """Make a code; it is shown this once."""
    form = await visit.form()
    try:
        invitation = await visit.send("federation", "POST", "/invitations", key=form.key)
    except Refusal as refusal:
        return await _page(visit, Form().refused(refusal), status=refusal.status)
    return await _page(visit, Form(), invitation=invitation)


@router.post("/invitations/{invitation_id}/revoke")
async def revoke(visit: CoordinatorVisit, invitation_id: str) -> Response:
    """Take an invitation back."""
    await visit.form()
    try:
        await visit.send("federation", "DELETE", f"/invitations/{invitation_id}")
    except Refusal as refusal:
        return await _page(visit, Form().refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/links", flash="invitation-revoked")


@router.post("/preview")
async def preview(visit: CoordinatorVisit) -> Response:
    """Whom a code leads to, before anything is sent to them."""
    form = await visit.form()
    try:
        found = await visit.send("federation", "POST", "/links/preview", {"code": form["code"]})
    except Refusal as refusal:
        return await _page(visit, form.refused(refusal), status=refusal.status)
    return await visit.page("link_preview.html", found=found, form=form)


@router.post("/accept")
async def accept(visit: CoordinatorVisit) -> Response:
    """Use a code that another cooperative gave us."""
    form = await visit.form()
    try:
        link = await visit.send("federation", "POST", "/links", {"code": form["code"]}, key=form.key)
    except Refusal as refusal:
        return await _page(visit, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/links/{link['link_id']}", flash="link-asked")


@router.get("/members/{hub_link_id}/{member}")
async def show_member(visit: CoordinatorVisit, hub_link_id: str, member: str) -> Response:
    """A cooperative behind a hub: who it is, and what sharing with it means."""
    return await _member_page(visit, hub_link_id, member, Form())


async def _member_page(visit: Visit, hub_link_id: str, member: str, form: Form, *, status: int = 200) -> Response:
    for one in items(await visit.get("federation", "/members")):
        if (one["hub_link_id"], one["member"]) == (hub_link_id, member):
            return await visit.page("link_member.html", one=one, form=form, status=status)
    raise Refusal(404, "not-found")


@router.post("/members/{hub_link_id}/{member}/accept")
async def accept_member(visit: CoordinatorVisit, hub_link_id: str, member: str) -> Response:
    """Share with it, once it wants to as well."""
    form = await visit.form()
    try:
        link = await visit.send("federation", "POST", f"/members/{hub_link_id}/{member}/accept")
    except Refusal as refusal:
        return await _member_page(visit, hub_link_id, member, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/links/{link['link_id']}", flash="member-accepted")


@router.get("/{link_id}")
async def show_link(visit: CoordinatorVisit, link_id: str) -> Response:
    """One link: state, thumbprint, what is stuck or was refused."""
    return await _link_page(visit, link_id, Form())


async def _link_page(visit: Visit, link_id: str, form: Form, *, asks_end: bool = False, status: int = 200) -> Response:
    links, refusals = await asyncio.gather(
        visit.get("federation", "/links"), visit.try_get("federation", f"/links/{link_id}/refusals")
    )
    for link in items(links):
        if link["link_id"] == link_id:
            unclaimed = await _unclaimed(visit, link) if link["unclaimed"] and not asks_end else []
            return await visit.page(
                "link.html",
                link=link,
                refusals=items(refusals),
                unclaimed=unclaimed,
                form=form,
                asks_end=asks_end,
                status=status,
            )
    raise Refusal(404, "not-found")


async def _unclaimed(visit: Visit, link: Json) -> list[Json]:
    """Bookings there of whom nobody here knows any more, with the title of what is booked where it is known."""
    bookings = items(await visit.try_get("federation", f"/links/{link['link_id']}/unclaimed"))[:MOST_SHOWN]
    ids = sorted({one["offer_id"] for one in bookings})
    found = await asyncio.gather(*(visit.try_get("catalog", f"/listings/{id_}", origin=link["peer_id"]) for id_ in ids))
    titles = {id_: listing["title"] for id_, listing in zip(ids, found, strict=True) if listing}
    return [one | {"title": titles.get(one["offer_id"])} for one in bookings]


@router.post("/{link_id}/unclaimed/call-off")
async def call_off_unclaimed(visit: CoordinatorVisit, link_id: str) -> Response:
    """Have the other cooperative end those that are ticked: of what has come since, nobody has seen anything."""
    form = await visit.form()
    body = {"booking_ids": form.all("bookings")}
    try:
        await visit.send("federation", "POST", f"/links/{link_id}/unclaimed/call-off", body)
    except Refusal as refusal:
        return await _link_page(visit, link_id, form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/links/{link_id}", flash="unclaimed-called-off")


@router.get("/{link_id}/end")
async def ask_end(visit: CoordinatorVisit, link_id: str) -> Response:
    """What ending does, before it happens."""
    return await _link_page(visit, link_id, Form(), asks_end=True)


@router.post("/{link_id}/{step}")
async def change(visit: CoordinatorVisit, link_id: str, step: str) -> Response:
    """confirm, pause, resume or end."""
    if step not in _STEPS:
        raise Refusal(404, "not-found")
    form = await visit.form()
    try:
        await visit.send("federation", "POST", f"/links/{link_id}/{step}")
    except Refusal as refusal:
        return await _link_page(visit, link_id, form.refused(refusal), asks_end=step == "end", status=refusal.status)
    return visit.redirect(f"/coordination/links/{link_id}", flash=_STEPS[step])

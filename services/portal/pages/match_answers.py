"""What the author of a need makes of an offer that was proposed: one tap."""

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.pages.listings import id_of
from services.portal.visit import MemberVisit, VisitDep

router = APIRouter()


@router.post("/needs/{reference}/matches/{offer_id}")
async def answer(visit: MemberVisit, reference: str, offer_id: str) -> Response:
    """Accepted (and on to the offer, where it can be booked), declined with a reason, or how it worked out."""
    form = await visit.form()
    need_id = id_of(reference)
    path = f"/needs/{need_id}/matches/{id_of(offer_id)}"
    origin = form.or_none("origin")
    if form["worked"]:
        await visit.send("matching", "PUT", f"{path}/outcome", {"origin": origin, "worked": form["worked"] == "yes"})
        return visit.redirect(f"/needs/{need_id}", flash="match-told")
    if form["reason"]:
        body = {"origin": origin, "status": "declined", "reason": form["reason"]}
        await visit.send("matching", "PUT", path, body)
        return visit.redirect(f"/needs/{need_id}", flash="match-declined")
    await visit.send("matching", "PUT", path, {"origin": origin, "status": "accepted"})
    return visit.redirect(form["to"] or f"/needs/{need_id}", flash="match-accepted")


@router.post("/needs/{reference}/widening")
async def answer_widening(visit: MemberVisit, reference: str) -> Response:
    """Nobody had answered: yes or no to widening it, one tap."""
    form = await visit.form()
    need_id, widen = id_of(reference), form["widen"] == "yes"
    await visit.send("matching", "POST", f"/needs/{need_id}/widening", {"widen": widen})
    return visit.redirect(f"/needs/{need_id}", flash="need-widened" if widen else "need-kept")


@router.post("/needs/{reference}/pledges/{introduction_id}")
async def note_received(visit: MemberVisit, reference: str, introduction_id: str) -> Response:
    """What somebody promised has come, or has not after all: one tap."""
    form = await visit.form()
    need_id, received = id_of(reference), form["received"] == "yes"
    path = f"/needs/{need_id}/pledges/{id_of(introduction_id)}"
    await visit.send("matching", "PUT", path, {"received": received}, params={"peer": form["peer"]})
    return visit.redirect(f"/needs/{need_id}#pledges", flash="pledge-received" if received else "pledge-awaited")


@router.get("/outcomes/{key}")
async def ask_outcome(visit: VisitDep, key: str) -> Response:
    """What the link of a mail asks; nothing is changed by looking. With scripts its answer is sent at once."""
    asked = await visit.get("matching", f"/outcomes/{quote(key, safe='')}")
    worked = visit.query["worked"] if visit.query["worked"] in {"yes", "no"} else ""
    return await visit.page("outcome.html", asked=asked, worked=worked, told=False)


@router.post("/outcomes/{key}")
async def tell_outcome(visit: VisitDep, key: str) -> Response:
    """Keep the answer, also without being signed in."""
    form = await visit.form()
    path = f"/outcomes/{quote(key, safe='')}"
    await visit.send("matching", "PUT", path, {"worked": form["worked"] == "yes"})
    return await visit.page("outcome.html", asked=await visit.get("matching", path), worked=form["worked"], told=True)

"""What the author of a need makes of an offer that was proposed: one tap."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.pages.listings import id_of
from services.portal.visit import MemberVisit

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

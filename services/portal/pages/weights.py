"""`/coordination/weights`: what counts in matches, what people's answers would change, and the team's yes or no."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/weights")
_ACTS = {"accept": "weights-accepted", "decline": "weights-declined"}
_PEOPLE = 200


@router.get("")
async def show_weights(visit: CoordinatorVisit) -> Response:
    """Those in use, the last proposal with its comparison, and what was decided before."""
    return await _page(visit, Form())


@router.post("/{weights_id}/{act}")
async def decide(visit: CoordinatorVisit, weights_id: int, act: str) -> Response:
    """Use a proposal (or one of before again), or leave it."""
    if act not in _ACTS:
        raise Refusal(404, "not-found")
    form = await visit.form()
    try:
        await visit.send("matching", "POST", f"/weights/{weights_id}/{act}")
    except Refusal as refusal:
        return await _page(visit, form.refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/weights", flash=_ACTS[act])


async def _page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    every: list[Json] = await visit.get("matching", "/weights")
    accepted = sorted((one for one in every if one["accepted_at"]), key=lambda one: str(one["accepted_at"]))
    used = accepted[-1] if accepted else None
    newest = every[0] if every else None
    proposed = newest if newest and not newest["accepted_at"] and not newest["declined_at"] else None
    people = items(await visit.try_get("identity", "/members", limit=_PEOPLE))
    return await visit.page(
        "weights.html",
        form=form,
        used=used,
        proposed=proposed,
        before=[one for one in every if one is not proposed],
        names={one["id"]: one["name"] for one in people},
        status=status,
    )

"""`/coordination/limits`: how much of all our offers of a category together anybody may book."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.portal.client import Refusal
from services.portal.forms import Form, filled
from services.portal.pages.terms_forms import add_row, quota_fields, quotas_of
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/limits")


@router.get("")
async def show_limits(visit: CoordinatorVisit) -> Response:
    """Every category with its limits; with `category`, the form to change them."""
    return await _page(visit, None)


@router.post("")
async def save_limits(visit: CoordinatorVisit) -> Response:
    """Set those of one category. `more` draws the form again with one row more."""
    form = await visit.form()
    if form["more"]:
        add_row(form)
        return await _page(visit, form)
    body = {"category": form["category"], "quotas": quotas_of(form)}
    try:
        await visit.send("booking", "PUT", "/quotas", body)
    except Refusal as refusal:
        names = {name: "terms_" + name.replace(".", "_") for name in refusal.errors if name.startswith("quotas")}
        return await _page(visit, form.refused(refusal, names), status=refusal.status)
    return visit.redirect("/coordination/limits", flash="saved")


async def _page(visit: Visit, form: Form | None, *, status: int = 200) -> Response:
    found = await visit.try_get("booking", "/quotas")
    limits = {one["category"]: one["quotas"] for one in found["items"]} if found else {}
    category = form["category"] if form else visit.query["category"]
    if form is None and category in limits:
        form = filled(category=category, **quota_fields(limits[category]))
    return await visit.page("limits.html", status=status, limits=limits, form=form)

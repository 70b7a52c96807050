"""`/coordination/acts`: what the team and the administration did (administrators)."""

import contextlib
from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from services.chassis.problems import NotAllowed
from services.portal.client import Json, Refusal
from services.portal.downloads import csv_from
from services.portal.forms import filled
from services.portal.moments import Moments
from services.portal.pages.home import items
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/acts")
_FILTERS = ("actor", "service", "about", "first", "last")
_PEOPLE = 200


@router.get("")
async def show_acts(visit: CoordinatorVisit) -> Response:
    """Acts, the last first, by person, area, thing and days."""
    _check_administrator(visit)
    form = filled(**{name: visit.query[name] for name in _FILTERS})
    page: Json = {"items": [], "next": None}
    status = 200
    try:
        page = await visit.get("identity", "/acts", **_wanted(visit), cursor=visit.query["cursor"])
    except Refusal as refusal:
        form.refused(refusal, {"from": "first", "until": "last"})
        status = refusal.status
    people = items(await visit.try_get("identity", "/members", limit=_PEOPLE))
    return await visit.page(
        "acts.html",
        status=status,
        form=form,
        acts=items(page),
        following=page["next"],
        people=[one for one in people if one["role"] != "member"],
        given={name: form[name] for name in _FILTERS if form[name]},
    )


@router.get(".csv")
async def export_acts(visit: CoordinatorVisit) -> Response:
    """The same acts as a file."""
    _check_administrator(visit)
    wanted = {name.rstrip("_"): value for name, value in _wanted(visit).items()}
    return await csv_from(visit, "identity", "/acts.csv", wanted, name="maillage-actes.csv")


def _check_administrator(visit: Visit) -> None:
    if visit.member is None or visit.member.role != "administrator":
        raise NotAllowed


def _wanted(visit: Visit) -> dict[str, str]:
    """The filters as identity takes them: days become instants, the last day counts whole."""
    moments = Moments(visit.language, visit.portal.settings.time_zone)
    last = visit.query["last"]
    with contextlib.suppress(ValueError, OverflowError):  # identity says which date it does not know
        last = str(date.fromisoformat(last) + timedelta(days=1)) if last else ""
    return {
        "actor": visit.query["actor"],
        "service_": visit.query["service"],
        "about": visit.query["about"],
        "from_": moments.instant(visit.query["first"]) if visit.query["first"] else "",
        "until": moments.instant(last) if last else "",
    }

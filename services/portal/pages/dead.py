"""`/coordination/dead`: what the services could not do with messages, and what becomes of each."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.chassis.names import SERVICES
from services.portal.client import Json, Refusal
from services.portal.forms import Form
from services.portal.visit import CoordinatorVisit, Visit

router = APIRouter(prefix="/coordination/dead")
_ACTS = {"replay": "letter-replayed", "drop": "letter-dropped"}


@dataclass(frozen=True)
class Shelf:
    """The letters of one service; none when it does not answer, which the page says."""

    service: str
    letters: list[Json]
    more: bool


@router.get("")
async def show_dead_letters(visit: CoordinatorVisit) -> Response:
    """Every message that was set aside, by service."""
    return await _page(visit, Form())


async def _page(visit: Visit, form: Form, *, status: int = 200) -> Response:
    shelves = await asyncio.gather(*(_shelf(visit, service) for service in SERVICES))
    return await visit.page("dead.html", shelves=shelves, form=form, status=status)


async def _shelf(visit: Visit, service: str) -> Shelf:
    found: Any = await visit.try_get(service, "/dead-letters")
    return Shelf(service, found["items"], found["more"]) if found else Shelf(service, [], more=False)


@router.get("/{service}/{letter_id}")
async def show_dead_letter(visit: CoordinatorVisit, service: str, letter_id: str) -> Response:
    """One of them, with what may be done; `drop` in the address asks to confirm that."""
    return await _letter_page(visit, service, letter_id, Form())


async def _letter_page(visit: Visit, service: str, letter_id: str, form: Form, *, status: int = 200) -> Response:
    _check(service)
    found = await visit.get(service, "/dead-letters")
    letter = next((one for one in found["items"] if one["id"] == letter_id), None)
    if letter is None:
        raise Refusal(404, "not-found")
    asks_drop = bool(visit.query["drop"])
    return await visit.page(
        "dead_letter.html", service=service, letter=letter, asks_drop=asks_drop, form=form, status=status
    )


@router.post("/{service}/{letter_id}/{act}")
async def act_on_dead_letter(visit: CoordinatorVisit, service: str, letter_id: str, act: str) -> Response:
    """`replay` (also for `all`) or `drop`."""
    _check(service)
    if act not in _ACTS:
        raise Refusal(404, "not-found")
    form = await visit.form()
    try:
        await visit.send(service, "POST", f"/dead-letters/{letter_id}/{act}")
    except Refusal as refusal:
        return await _page(visit, form.refused(refusal), status=refusal.status)
    return visit.redirect("/coordination/dead", flash=_ACTS[act])


def _check(service: str) -> None:
    if service not in SERVICES:
        raise Refusal(404, "not-found")

"""`/coordination/import`: a CSV file is checked first; nothing is imported until asked."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from services.portal.client import Json, Refusal
from services.portal.downloads import csv_from
from services.portal.forms import Form
from services.portal.pages.listings import id_of
from services.portal.visit import CoordinatorVisit, MemberVisit, Visit

router = APIRouter()
_MOST_ERRORS = 100
"""So many are on the page; a file has the rest."""


@router.get("/coordination/import")
async def show_import(visit: CoordinatorVisit) -> Response:
    """Choose a file; the columns are explained."""
    return await visit.page("import.html", form=Form())


@router.post("/coordination/import")
async def check(visit: CoordinatorVisit) -> Response:
    """Check the file and say every line that is wrong."""
    form = await visit.form()
    file = await _chosen_file(visit)
    if file is None:
        form.errors["file"] = visit.say("Choisissez un fichier.")
        return await visit.page("import.html", form=form, status=422)
    try:
        report = await visit.send("catalog", "POST", "/imports/check", files={"file": file})
    except Refusal as refusal:
        return await visit.page("import.html", form=form.refused(refusal), status=refusal.status)
    return await _report_page(visit, report, Form(), name=file[0])


async def _chosen_file(visit: Visit) -> tuple[str, bytes, str] | None:
    """Name, content and type of the posted file, whose temporary copy on the disk ends here."""
    async with visit.request.form() as posted:
        file = posted.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return None
        return file.filename, await file.read(), file.content_type or "text/csv"


async def _report_page(visit: Visit, report: Json, form: Form, *, name: str = "", status: int = 200) -> Response:
    shown = report["errors"][:_MOST_ERRORS]
    return await visit.page("import_report.html", report=report, shown=shown, form=form, name=name, status=status)


@router.post("/coordination/import/{import_id}/run")
async def run(visit: CoordinatorVisit, import_id: str) -> Response:
    """Import the lines that are right."""
    form = await visit.form()
    try:
        await visit.send("catalog", "POST", f"/imports/{import_id}/run")
    except Refusal as refusal:
        return await visit.page("import.html", form=form.refused(refusal), status=refusal.status)
    return visit.redirect(f"/coordination/import/{import_id}", flash="import-started")


@router.get("/coordination/import/{import_id}/errors.csv")
async def download_errors(visit: CoordinatorVisit, import_id: str) -> Response:
    """All that is to be corrected, as a file."""
    return await csv_from(visit, "catalog", f"/imports/{id_of(import_id)}/errors.csv", {}, name="erreurs.csv")


@router.get("/coordination/import/{import_id}")
async def show_progress(visit: CoordinatorVisit, import_id: str) -> Response:
    """How far it is."""
    progress: Any = await visit.get("catalog", f"/imports/{import_id}")
    return await visit.page("import_progress.html", progress=progress, import_id=import_id)


@router.get("/coordination/export.csv")
async def export_all(visit: CoordinatorVisit) -> Response:
    """Everything that the cooperative's members offer and need."""
    return await _export(visit, {"side": visit.query["side"]})


@router.get("/me/export.csv")
async def export_mine(visit: MemberVisit) -> Response:
    """What I offer and need."""
    return await _export(visit, {"side": visit.query["side"], "mine": "true"})


async def _export(visit: Visit, params: dict[str, str]) -> Response:
    return await csv_from(visit, "catalog", "/export.csv", params, name="maillage-export.csv")

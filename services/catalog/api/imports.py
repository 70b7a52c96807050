"""CSV import and export."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from contracts.catalog import Side
from services.catalog import queries
from services.catalog.commands import imports
from services.catalog.csv_files import decoding, reading, writing
from services.catalog.csv_files.columns import plain
from services.catalog.csv_files.decoding import Decoded
from services.catalog.csv_files.problems import FileTooLarge
from services.catalog.csv_files.reading import Checked, Surroundings
from services.chassis.auth import Actor, Coordinator, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import Database, DatabaseDep
from services.chassis.problems import Language, NotAllowed, language_of
from services.chassis.settings import ServiceSettings

router = APIRouter()

LARGEST_FILE = 8 * 1024 * 1024
EXPORT_PAGE = 500


async def _only_coordinators(actor: Coordinator) -> None:
    """Raises NotSignedIn, NotAllowed."""


CoordinatorOnly = Depends(_only_coordinators)


class BadLine(BaseModel):
    """A bad line. `line`: the header is line 1; `column`: empty when the whole line is meant."""

    line: int
    column: str
    value: str
    reason: str


class ImportReport(BaseModel):
    """What a check found; nothing was imported. `ignored`: header cells that name no column of ours."""

    import_id: UUID
    encoding: str
    separator: str
    rows: int
    valid: int
    columns: list[str]
    ignored: list[str]
    errors: list[BadLine]
    preview: list[dict[str, str]]


class ImportProgress(BaseModel):
    """How far an import is: `done` of `valid` lines, of which so many made or changed something."""

    import_id: UUID
    status: Literal["checked", "running", "done", "failed"]
    rows: int
    valid: int
    done: int
    created: int
    updated: int
    unchanged: int
    errors: list[BadLine]


@router.post("/imports/check")
async def check_import(
    file: UploadFile, request: Request, actor: Coordinator, db: DatabaseDep, clock: ClockDep
) -> ImportReport:
    """Read a CSV file and tell every bad line; nothing is imported."""
    data = await file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise FileTooLarge
    settings: ServiceSettings = request.app.state.settings
    async with db.reading() as session:
        circles = await imports.circle_names(session)
        refs = await imports.refs_with_circles(session)
    around = Surroundings(
        zone=ZoneInfo(settings.time_zone),
        locale=settings.locale,
        circles={plain(name): circle_id for circle_id, name in circles.items()},
        circle_refs=refs,
        now=clock.now(),
    )
    decoded, checked = await asyncio.to_thread(_check, data, around)
    async with db.transaction() as session:
        row = await imports.keep_checked(session, checked, by=actor, now=clock.now())
    return ImportReport(
        import_id=row["id"],
        encoding=decoded.encoding,
        separator=checked.separator,
        rows=checked.rows,
        valid=len(checked.good),
        columns=checked.columns,
        ignored=checked.ignored,
        errors=_errors(row, _language(request)),
        preview=checked.preview,
    )


@router.post("/imports/{import_id}/run", status_code=202, dependencies=[CoordinatorOnly])
async def run_import(import_id: UUID, request: Request, db: DatabaseDep) -> ImportProgress:
    """Import the good lines of a checked file, in the background. The coordinator who checked it owns what is new."""
    async with db.transaction() as session:
        row = await imports.start(session, import_id)
    return _progress(row, _language(request))


@router.get("/imports/{import_id}", dependencies=[CoordinatorOnly])
async def read_import(import_id: UUID, request: Request, db: DatabaseDep) -> ImportProgress:
    """How far an import is."""
    async with db.reading() as session:
        row = await queries.import_job(session, import_id)
    return _progress(row, _language(request))


@router.get("/imports/{import_id}/errors.csv", response_class=Response, dependencies=[CoordinatorOnly])
async def read_errors(import_id: UUID, request: Request, db: DatabaseDep) -> Response:
    """Every bad line of a checked file as CSV, in the reader's language: line, column, value, reason."""
    async with db.reading() as session:
        row = await queries.import_job(session, import_id)
    language = _language(request)
    told = ((one.line, one.column, one.value, one.reason) for one in _errors(row, language))
    name = {"Content-Disposition": 'attachment; filename="erreurs.csv"'}
    text = await asyncio.to_thread(writing.bad_lines, list(told), language)
    return Response(text, media_type="text/csv; charset=utf-8", headers=name)


@router.get("/export.csv", response_class=StreamingResponse)
async def export_listings(
    request: Request,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    *,
    side: Side | None = None,
    mine: bool = False,
) -> StreamingResponse:
    """Our standing listings as CSV, which import reads back: all for coordinators, one's own with `mine`."""
    if not mine and not actor.is_coordinator:
        raise NotAllowed
    settings: ServiceSettings = request.app.state.settings
    wanted = queries.Wanted(side=side, mine=mine)
    lines = pieces(db, wanted, actor, now=clock.now(), zone=ZoneInfo(settings.time_zone))
    name = {"Content-Disposition": 'attachment; filename="annonces.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=name)


async def pieces(
    db: Database, wanted: queries.Wanted, actor: Actor, *, now: datetime, zone: ZoneInfo
) -> AsyncIterator[str]:
    """The exported file, a page of listings at a time: between pages a slow reader holds no connection.

    `now`: aware, which listings stand; `zone`: in which times are written.
    """
    after: UUID | None = None
    async with db.reading() as session:
        circles = await imports.circle_names(session)
    yield writing.header()
    while True:
        async with db.reading() as session:
            rows = await queries.for_export(session, wanted, actor=actor, now=now, after=after, limit=EXPORT_PAGE)
        if rows:
            yield "".join(writing.line(row, circles, zone) for row in rows)
        if len(rows) < EXPORT_PAGE:
            return
        after = rows[-1]["id"]


def _check(data: bytes, around: Surroundings) -> tuple[Decoded, Checked]:
    decoded = decoding.decode(data)
    return decoded, reading.check(decoded.text, around)


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


def _errors(row: sa.RowMapping, language: Language) -> list[BadLine]:
    return [BadLine(**(error | {"reason": error["reason"][language]})) for error in row["errors"]]


def _progress(row: sa.RowMapping, language: Language) -> ImportProgress:
    same: dict[str, Any] = {
        name: row[name] for name in ("status", "rows", "valid", "done", "created", "updated", "unchanged")
    }
    return ImportProgress(import_id=row["id"], errors=_errors(row, language), **same)

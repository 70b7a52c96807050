"""The trail of what coordinators and administrators did, for administrators."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel

from services.chassis.auth import Administrator
from services.chassis.database import Database, DatabaseDep
from services.chassis.formulas import neutralise
from services.chassis.paging import Limit, Page
from services.identity import queries
from services.identity.api.members import Cursor
from services.identity.api.script_models import ActView
from services.identity.commands.members import check_is_administrator

router = APIRouter(prefix="/acts")
_PIECE = 200
_COLUMNS = ("at", "service", "actor_id", "actor_name", "role", "what", "about", "said", "notes", "correlation_id", "id")


class ActsQuery(BaseModel):
    """Which acts: of whom, in which service, about what (a part of an id), from and until when."""

    actor: UUID | None = None
    service: Literal["identity", "catalog", "booking", "matching", "notify", "federation"] | None = None
    about: Annotated[str | None, Query(max_length=100, pattern=r"^[\w.:-]*$")] = None
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None
    until: AwareDatetime | None = None

    def wanted(self) -> queries.WantedActs:
        return queries.WantedActs(
            actor=self.actor, service=self.service, about=self.about or None, start=self.from_, end=self.until
        )


class ActsPageQuery(ActsQuery):
    """The same, page by page."""

    cursor: Cursor = None
    limit: Limit = 50


@router.get("")
async def list_acts(actor: Administrator, db: DatabaseDep, query: Annotated[ActsPageQuery, Query()]) -> Page[ActView]:
    """Acts, the last first."""
    async with db.reading() as session:
        await check_is_administrator(session, actor)
        rows, following = await queries.acts(session, query.wanted(), cursor=query.cursor, limit=query.limit)
    return Page(items=[ActView(**row) for row in rows], next=following)


@router.get(".csv", response_class=StreamingResponse)
async def export_acts(actor: Administrator, db: DatabaseDep, query: Annotated[ActsQuery, Query()]) -> StreamingResponse:
    """The same for spreadsheets and archives."""
    async with db.reading() as session:
        await check_is_administrator(session, actor)
    name = {"Content-Disposition": 'attachment; filename="acts.csv"'}
    return StreamingResponse(_lines(db, query.wanted()), media_type="text/csv; charset=utf-8", headers=name)


async def _lines(db: Database, wanted: queries.WantedActs) -> AsyncIterator[str]:
    """A page of rows at a time, each in a transaction of its own."""
    yield "\ufeff" + ";".join(_COLUMNS) + "\r\n"
    cursor = None
    while True:
        async with db.reading() as session:
            rows, cursor = await queries.acts(session, wanted, cursor=cursor, limit=_PIECE)
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerows([neutralise(_cell(row[column])) for column in _COLUMNS] for row in rows)
        yield text.getvalue()
        if cursor is None:
            return


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)  # pyright: ignore[reportUnknownVariableType] - JSON of ours
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())  # pyright: ignore[reportUnknownVariableType]
    return "" if value is None else str(value)

"""The codes of what is offered and needed, as a file."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import CurrentMember, MaybeMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.formulas import neutralise
from services.matching import audience
from services.matching.queries import skills
from services.matching.tables import OURS, things
from services.matching.views import SkillView

router = APIRouter()
_BATCH = 500
_MOST = 20_000
_COLUMNS = ("origin", "id", "side", "title", "scheme", "code", "label")


@router.get("/skills.csv", response_class=Response)
async def export_codes(actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> Response:
    """A line for each ESCO or ROME code of what the reader may see, of 20,000 things at the most; UTF-8, semicolons."""
    out, after, seen, now = io.StringIO(newline=""), None, 0, clock.now()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    while seen < _MOST:
        async with db.reading() as session:
            rows = await _after(session, after, actor.id, now)
            coded = await skills.codes(session, rows)
        for row in rows:
            for one in skills.views(coded[row["origin"], row["id"]]):
                texts = [row["origin"], str(row["id"]), row["side"], row["title"], one.scheme, one.code, one.label]
                writer.writerow([neutralise(text) for text in texts])
        seen += len(rows)
        if len(rows) < _BATCH:
            break
        after = (rows[-1]["origin"], rows[-1]["id"])
    headers = {"Content-Disposition": 'attachment; filename="maillage-codes.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/skills/{thing_id}")
async def codes_of(
    thing_id: UUID,
    actor: MaybeMember,
    db: DatabaseDep,
    clock: ClockDep,
    origin: Annotated[str, Query(max_length=200)] = OURS,
) -> list[SkillView]:
    """The ESCO or ROME codes of one thing. `origin`: the peer whose thing it is, empty for ours.

    None of what the reader may not see.
    """
    columns = [things.c[name] for name in ("origin", "id", "title", "category", "tags")]
    chosen = sa.select(*columns).where(things.c.origin == origin, things.c.id == thing_id)
    seen = chosen.where(audience.visible_to(actor.id if actor else None, clock.now()))
    async with db.reading() as session:
        rows = (await session.execute(seen)).mappings().all()
        coded = await skills.codes(session, rows)
    return [one for found in coded.values() for one in skills.views(found)]


async def _after(session: AsyncSession, after: tuple[str, Any] | None, member_id: UUID, now: datetime) -> Sequence[Any]:
    columns = [things.c[name] for name in ("origin", "id", "side", "title", "category", "tags")]
    chosen = sa.select(*columns).where(audience.visible_to(member_id, now)).limit(_BATCH)
    if after is not None:
        key = sa.tuple_(sa.literal(after[0], sa.Text), sa.literal(after[1], sa.Uuid))
        chosen = chosen.where(sa.tuple_(things.c.origin, things.c.id) > key)
    return (await session.execute(chosen.order_by(things.c.origin, things.c.id))).mappings().all()

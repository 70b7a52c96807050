"""What was learnt from answers, and a coordinator's yes to it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import NotAllowed
from services.matching.commands import weighing
from services.matching.queries.weights import all_weights

router = APIRouter()


class WeightsView(BaseModel):
    """Factors by term; `report`: answers, held-back pairs, and the share of these in order, `old` and `new`.

    In use are those with the last `accepted_at`. `declined_at`: a coordinator said no to them.
    """

    id: int
    made_at: datetime
    factors: dict[str, float]
    report: dict[str, Any]
    accepted_at: datetime | None
    accepted_by: UUID | None
    declined_at: datetime | None
    declined_by: UUID | None


@router.get("/weights")
async def read_weights(actor: CurrentMember, db: DatabaseDep) -> list[WeightsView]:
    """The last ones, for coordinators."""
    if not actor.is_coordinator:
        raise NotAllowed
    async with db.reading() as session:
        return [WeightsView.model_validate(dict(row)) for row in await all_weights(session)]


@router.post("/weights/{weights_id}/accept", status_code=204)
async def accept_weights(weights_id: int, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> Response:
    """Use these from now on. A coordinator alone; accepting older ones again goes back to them."""
    if not actor.is_coordinator:
        raise NotAllowed
    async with db.transaction() as session:
        await weighing.accept(session, weights_id, by=actor.id, now=clock.now())
    return Response(status_code=204)


@router.post("/weights/{weights_id}/decline", status_code=204)
async def decline_weights(weights_id: int, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> Response:
    """Leave them unused. A coordinator alone; those that were accepted once are replaced by accepting others."""
    if not actor.is_coordinator:
        raise NotAllowed
    async with db.transaction() as session:
        await weighing.decline(session, weights_id, by=actor.id, now=clock.now())
    return Response(status_code=204)

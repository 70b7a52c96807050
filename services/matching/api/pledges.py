"""A need that several fill together: what was promised, what has come, what is missing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.matching.commands import pledging
from services.matching.queries import life
from services.matching.views import PledgesView

router = APIRouter()


class ReceivedForm(BaseModel):
    """Whether what was promised has come."""

    received: bool


@router.get("/needs/{need_id}/pledges")
async def read_pledges(need_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> PledgesView:
    """How much of one of our needs was promised, for every member who may see it. Nobody is named."""
    async with db.reading() as session:
        return await life.pledges_of(session, need_id, actor=actor, now=clock.now())


@router.put("/needs/{need_id}/pledges/{introduction_id}", status_code=204)
async def note_received(  # noqa: PLR0917 - what FastAPI hands in
    need_id: UUID,
    introduction_id: UUID,
    form: ReceivedForm,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    peer: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """What was promised has come, or has not after all. The need's owner alone. `peer`: of the introduction's asker."""
    async with db.transaction() as session:
        key = (peer, introduction_id)
        await pledging.receive(session, need_id, key, received=form.received, by=actor, now=clock.now())
    return Response(status_code=204)

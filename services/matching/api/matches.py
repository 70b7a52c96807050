"""The offers for a need, and what its author makes of them."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.matching import asking
from services.matching.commands import answering
from services.matching.domain import Reason, Status
from services.matching.queries import matches
from services.matching.settings import MatchingSettings
from services.matching.views import MatchesView

router = APIRouter()


@router.get("/needs/{need_id}/matches")
async def read_matches(
    need_id: UUID, request: Request, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> MatchesView:
    """Offers for one of our needs, with reasons, and near misses with what is missing. Its owner or a coordinator."""
    settings: MatchingSettings = request.app.state.settings
    version = await asking.version() if settings.meaning else ""
    async with db.reading() as session:
        return await matches.matches_for_reader(
            session, need_id, actor=actor, now=clock.now(), farthest_km=settings.farthest_km, version=version
        )


class AnswerForm(BaseModel):
    """What the author of a need makes of an offer. `origin`: the peer whose offer it is, None for ours."""

    origin: str | None = Field(default=None, max_length=200)
    status: Status
    reason: Reason | None = None


class OutcomeForm(BaseModel):
    """Whether an accepted match worked out."""

    origin: str | None = Field(default=None, max_length=200)
    worked: bool


@router.put("/needs/{need_id}/matches/{offer_id}", status_code=204)
async def answer_match(  # noqa: PLR0917 - what FastAPI hands in
    need_id: UUID,
    offer_id: UUID,
    form: AnswerForm,
    request: Request,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
) -> Response:
    """Seen, contacted, accepted, or declined with a reason. The need's owner alone; no contact is told to anybody."""
    settings: MatchingSettings = request.app.state.settings
    version = await asking.version() if settings.meaning else ""
    async with db.transaction() as session:
        await answering.answer(
            session,
            need_id,
            answering.key_of(form.origin, offer_id),
            actor=actor,
            status=form.status,
            reason=form.reason,
            now=clock.now(),
            version=version,
        )
    return Response(status_code=204)


@router.put("/needs/{need_id}/matches/{offer_id}/outcome", status_code=204)
async def tell_outcome(  # noqa: PLR0917 - what FastAPI hands in
    need_id: UUID, offer_id: UUID, form: OutcomeForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> Response:
    """Whether an accepted match worked out, asked after a week."""
    async with db.transaction() as session:
        key = answering.key_of(form.origin, offer_id)
        await answering.tell_outcome(session, need_id, key, actor=actor, worked=form.worked, now=clock.now())
    return Response(status_code=204)

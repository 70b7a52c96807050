"""The offers for a need, and what its author makes of them."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.matching import asking
from services.matching.commands import answering, following_up
from services.matching.domain import Reason, Status
from services.matching.queries import life, matches
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
    async with db.asking() as session:
        view = await matches.matches_for_reader(
            session, need_id, actor=actor, now=clock.now(), farthest_km=settings.farthest_km, version=version
        )
    async with db.reading() as session:
        return await life.complete(session, view)


class AnswerForm(BaseModel):
    """What the author of a need makes of an offer. `origin`: the peer whose offer it is, None for ours."""

    origin: str | None = Field(default=None, max_length=200)
    status: Status
    reason: Reason | None = None


class OutcomeForm(BaseModel):
    """Whether an accepted match worked out."""

    origin: str | None = Field(default=None, max_length=200)
    worked: bool


class ShownOffer(BaseModel):
    """An offer that was shown. `origin`: the peer whose offer it is, None for ours."""

    offer_id: UUID
    origin: str | None = Field(default=None, max_length=200)


class ShownForm(BaseModel):
    """What a page has shown to the author of a need."""

    offers: list[ShownOffer] = Field(max_length=100)


class WideningForm(BaseModel):
    """The author's answer to whether a need may be widened."""

    widen: bool


class OutcomeView(BaseModel):
    """A match that is asked about. Titles are None once their thing is gone."""

    need_title: str | None
    offer_title: str | None
    outcome: bool | None


@router.post("/needs/{need_id}/seen", status_code=204)
async def note_shown(
    need_id: UUID, form: ShownForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> Response:
    """These offers were shown to the need's owner: what was proposed is seen."""
    keys = [answering.key_of(one.origin, one.offer_id) for one in form.offers]
    async with db.transaction() as session:
        await answering.see(session, need_id, keys, actor=actor, now=clock.now())
    return Response(status_code=204)


@router.post("/needs/{need_id}/widening", status_code=204)
async def answer_widening(
    need_id: UUID, form: WideningForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> Response:
    """Nobody answered: whether offers from farther away count, and more people may see it. Its owner alone."""
    async with db.transaction() as session:
        await following_up.answer_widening(session, need_id, widen=form.widen, by=actor, now=clock.now())
    return Response(status_code=204)


@router.get("/outcomes/{key}")
async def read_outcome(key: str, db: DatabaseDep) -> OutcomeView:
    """What the link of a mail asks about. Without an account: the key is in the mail."""
    async with db.reading() as session:
        return OutcomeView.model_validate(dict(await following_up.outcome_of(session, key)))


@router.put("/outcomes/{key}", status_code=204)
async def tell_outcome_by_mail(key: str, form: OutcomeForm, db: DatabaseDep) -> Response:
    """Whether it worked out, by the link of a mail."""
    async with db.transaction() as session:
        await following_up.tell_outcome(session, key, worked=form.worked)
    return Response(status_code=204)


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

"""Asking to be put in touch, and answering."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionParty, IntroductionStatus
from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import NotFound
from services.matching import asking
from services.matching.api.saved import SettingsDep
from services.matching.commands import introducing
from services.matching.commands.introductions import state_of
from services.matching.domain import Reason
from services.matching.queries import introductions as queries
from services.matching.tables import OURS

router = APIRouter()

_MOST = 1_000_000
Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Peer = Annotated[str, Query(max_length=200)]


class IntroductionForm(BaseModel):
    """A wish to be put in touch about a thing. `origin`: the peer whose thing it is, None for ours.

    `need_id`: a need of the asker that it may be for. `quantity`: how much the asker promises towards a need.
    """

    thing_id: UUID
    origin: str | None = Field(default=None, max_length=200)
    need_id: UUID | None = None
    message: Message
    quantity: int | None = Field(default=None, ge=1, le=_MOST)


class AnswerForm(BaseModel):
    """Yes, perhaps with a promise of `quantity`; or no, with a reason."""

    accepted: bool
    reason: Reason | None = None
    quantity: int | None = Field(default=None, ge=1, le=_MOST)


class IntroductionView(BaseModel):
    """A wish to be put in touch. `mine`: the reader asked. `peer`: whose member asked, None for ours.

    No address is here: notify tells it to both once it is accepted.
    """

    id: UUID
    peer: str | None
    thing_id: UUID
    thing_origin: str | None
    thing_title: str
    thing_side: Literal["offer", "need"] | None
    bookable: bool
    unit: str
    need_id: UUID | None
    asker: IntroductionParty
    owner: IntroductionParty
    message: str
    quantity: int | None
    status: IntroductionStatus
    reason: Reason | None
    mine: bool
    asked_at: datetime
    changed_at: datetime


@router.post("/introductions", status_code=201)
async def ask_introduction(
    form: IntroductionForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, settings: SettingsDep
) -> IntroductionView:
    """Ask whoever answers for a thing; they are asked before anybody's address is told. Asked already: that one."""
    question = introducing.Question(
        key=(form.origin or OURS, form.thing_id),
        message=form.message.replace("\0", " "),
        need_id=form.need_id,
        quantity=form.quantity,
    )
    version = await asking.version() if settings.meaning else ""
    async with db.transaction() as session:
        made = await introducing.ask(session, question, by=actor, now=clock.now(), version=version)
        return await _view(session, (OURS, made), actor.id)


@router.get("/introductions")
async def read_introductions(actor: CurrentMember, db: DatabaseDep) -> list[IntroductionView]:
    """Those that the reader asked for or is asked, what waits for an answer first; the last hundred."""
    async with db.reading() as session:
        rows = await queries.introductions_of(session, actor.id)
    return [_shown(row, actor.id) for row in rows]


@router.get("/introductions/{introduction_id}")
async def read_introduction(
    introduction_id: UUID, actor: CurrentMember, db: DatabaseDep, peer: Peer = ""
) -> IntroductionView:
    """One of them. `peer`: whose member asked, empty for ours."""
    async with db.reading() as session:
        return await _view(session, (peer, introduction_id), actor.id)


@router.post("/introductions/{introduction_id}/answer")
async def answer_introduction(  # noqa: PLR0917 - what FastAPI hands in
    introduction_id: UUID, form: AnswerForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, peer: Peer = ""
) -> IntroductionView:
    """Say yes or no; only whoever is asked. After a yes both are told the other's name and address."""
    async with db.transaction() as session:
        await introducing.answer(
            session,
            (peer, introduction_id),
            accepted=form.accepted,
            reason=form.reason,
            quantity=form.quantity,
            by=actor,
            now=clock.now(),
        )
        return await _view(session, (peer, introduction_id), actor.id)


@router.post("/introductions/{introduction_id}/withdraw", status_code=204)
async def withdraw_introduction(
    introduction_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> Response:
    """Ask no longer."""
    async with db.transaction() as session:
        await introducing.withdraw(session, introduction_id, by=actor, now=clock.now())
    return Response(status_code=204)


async def _view(session: AsyncSession, key: tuple[str, UUID], reader: UUID) -> IntroductionView:
    row = await queries.introduction(session, key, reader)
    if row is None:
        raise NotFound
    return _shown(row, reader)


def _shown(row: queries.Row, reader: UUID) -> IntroductionView:
    state = state_of(row).model_dump()
    return IntroductionView.model_validate(
        state
        | {
            "peer": row["asker_peer"] or None,
            "thing_side": row["side"] or None,
            "bookable": bool(row["bookable"]),
            "unit": row["unit"] or "",
            "mine": row["asker_peer"] == OURS and row["asker_id"] == reader,
            "asked_at": row["asked_at"],
        }
    )

"""Sessions: planning them, seeing them, taking a seat."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries, session_listing
from services.booking.api.bookings import At
from services.booking.api.forms import Instant, ReasonForm
from services.booking.api.session_forms import (
    AnswersForm,
    ContentsForm,
    MoveForm,
    NoForm,
    SessionForm,
    SignUpForm,
)
from services.booking.commands import seats
from services.booking.commands import sessions as commands
from services.booking.domain.deciding import Person
from services.booking.domain.seating import Seating
from services.booking.domain.session_templates import BEGINNINGS
from services.booking.queries import sessions as reading
from services.booking.session_views import BeginningView, SessionSummary, SessionView, beginning, summary, view
from services.chassis.auth import Actor, CurrentMember
from services.chassis.idempotency import Once, OnceDep
from services.chassis.ids import new_id
from services.chassis.paging import Page
from services.chassis.problems import NotFound, language_of

router = APIRouter(tags=["sessions"])

Doing = Callable[[AsyncSession, Person], Awaitable[Seating]]


class SessionsQuery(BaseModel):
    """Which sessions. `from`: those that end after it, the next one first; without it, the latest first."""

    model_config = ConfigDict(extra="forbid")

    mine: bool = False
    from_: Instant | None = Field(default=None, alias="from")
    series_id: UUID | None = None
    circle_id: UUID | None = None
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=50, ge=1, le=200)


@router.get("/session-templates")
async def list_templates(request: Request, _: CurrentMember) -> Page[BeginningView]:
    """What sessions of each kind are made of unless their organiser says otherwise, in the reader's language."""
    language = language_of(request.headers.get("accept-language"))
    return Page(items=[beginning(one, language) for one in BEGINNINGS.values()])


@router.post("/sessions", status_code=201)
async def plan_session(form: SessionForm, actor: CurrentMember, at: At, once: OnceDep) -> SessionView:
    """Plan a session, or a series of them; answers the first."""
    form.check()
    contents, periods = form.contents(), form.periods()
    wanted = commands.Plan(
        ids=[new_id() for _ in periods],
        periods=periods,
        series_id=new_id() if form.repeat is not None else None,
        template=form.template,
        time_zone=form.time_zone,
        circle_id=form.circle_id,
        audience=form.audience,
        audience_circle_ids=form.audience_circle_ids if form.audience == "circles" else [],
        private=form.private,
        rotating_role=form.rotating_role or None,
        organiser_role=form.organiser_role or None,
    )

    async def plan(session: AsyncSession, person: Person) -> Seating:
        return await commands.plan(session, wanted, contents, by=person)

    return await _once(at, once, actor, form, plan)


@router.get("/sessions")
async def list_sessions(actor: CurrentMember, at: At, query: Annotated[SessionsQuery, Query()]) -> Page[SessionSummary]:
    """The sessions that this person may see."""
    wanted = session_listing.Wanted(
        mine=query.mine, ends_after=query.from_, series_id=query.series_id, circle_id=query.circle_id
    )
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        found = await session_listing.page(session, person, wanted, cursor=query.cursor, limit=query.limit)
    now = at.clock.now()
    return Page(items=[summary(one, person, now) for one in found.items], next=found.next)


@router.get("/sessions/{session_id}")
async def get_session(session_id: UUID, actor: CurrentMember, at: At) -> SessionView:
    """One session, for its audience; names only for those who may know them."""
    async with at.db.reading() as session:
        person = await queries.person_of(session, actor)
        seating = await reading.seating(session, session_id)
    if seating is None or not seating.planned.may_see(person, signed_up=seating.of(person.id) is not None):
        raise NotFound
    return view(seating, person, at.clock.now())


@router.put("/sessions/{session_id}")
async def change_session(session_id: UUID, form: ContentsForm, actor: CurrentMember, at: At) -> SessionView:
    """Change what is said of a session, its roles and steps; who has a seat keeps it."""
    contents = form.contents()

    async def work(session: AsyncSession) -> SessionView:
        person = await queries.person_of(session, actor)
        seating = await commands.change(session, session_id, contents, by=person)
        return view(seating, person, at.clock.now())

    return await at.db.run(work)


@router.post("/sessions/{session_id}/move")
async def move_session(session_id: UUID, form: MoveForm, actor: CurrentMember, at: At, once: OnceDep) -> SessionView:
    """Another time; people are told and keep their seats."""

    async def move(session: AsyncSession, person: Person) -> Seating:
        return await commands.move(session, session_id, form.start, form.end, by=person)

    return await _once(at, once, actor, form, move)


@router.post("/sessions/{session_id}/cancel")
async def cancel_session(
    session_id: UUID, form: ReasonForm, actor: CurrentMember, at: At, once: OnceDep
) -> SessionView:
    """Call it off; people are told."""

    async def cancel(session: AsyncSession, person: Person) -> Seating:
        return await commands.cancel(session, session_id, reason=form.reason, by=person)

    return await _once(at, once, actor, form, cancel)


@router.post("/sessions/{session_id}/sign-up")
async def sign_up(session_id: UUID, form: SignUpForm, actor: CurrentMember, at: At, once: OnceDep) -> SessionView:
    """Take a free seat, or a place in the waiting list of the role."""

    async def come(session: AsyncSession, person: Person) -> Seating:
        return await seats.sign_up(session, session_id, form.role, dict(form.answers), by=person)

    return await _once(at, once, actor, form, come)


@router.post("/sessions/{session_id}/accept")
async def accept_seat(session_id: UUID, form: NoForm, actor: CurrentMember, at: At, once: OnceDep) -> SessionView:
    """Take the seat that was offered."""

    async def accept(session: AsyncSession, person: Person) -> Seating:
        return await seats.accept(session, session_id, by=person)

    return await _once(at, once, actor, form, accept)


@router.post("/sessions/{session_id}/leave")
async def leave_session(session_id: UUID, form: NoForm, actor: CurrentMember, at: At, once: OnceDep) -> SessionView:
    """Give up a seat, an offer or a place in the list."""

    async def leave(session: AsyncSession, person: Person) -> Seating:
        return await seats.leave(session, session_id, by=person)

    return await _once(at, once, actor, form, leave)


@router.put("/sessions/{session_id}/answers")
async def answer_questions(session_id: UUID, form: AnswersForm, actor: CurrentMember, at: At) -> SessionView:
    """Other answers to the small questions (meal, carpool, children)."""

    async def work(session: AsyncSession) -> SessionView:
        person = await queries.person_of(session, actor)
        seating = await seats.answer(session, session_id, dict(form.answers), by=person)
        return view(seating, person, at.clock.now())

    return await at.db.run(work)


async def _once(at: At, once: Once, actor: Actor, form: BaseModel, do: Doing) -> SessionView:
    """Do it in a transaction, once for each Idempotency-Key, and show the session as it is then."""

    async def work(session: AsyncSession) -> SessionView:
        async def make() -> SessionView:
            person = await queries.person_of(session, actor)
            return view(await do(session, person), person, at.clock.now())

        return await once(session, actor.id, form, SessionView, make)

    return await at.db.run(work)

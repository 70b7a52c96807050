"""Circles and their members."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import CurrentMember
from services.chassis.database import DatabaseDep
from services.chassis.idempotency import OnceDep
from services.chassis.paging import Limit, Page
from services.identity import queries
from services.identity.api.members import Cursor
from services.identity.api.models import CircleChangeForm, CircleForm, CircleView
from services.identity.commands import circles, members
from services.identity.domain.circles import Circle
from services.identity.domain.members import Member

router = APIRouter(prefix="/circles")


class Change:
    """Runs a change of a circle as whoever asks, again when PostgreSQL asks for it."""

    def __init__(self, actor: CurrentMember, db: DatabaseDep) -> None:
        self._actor = actor
        self._db = db

    async def __call__(self, change: Callable[[AsyncSession, Member], Awaitable[Circle]]) -> CircleView:
        async def run(session: AsyncSession) -> CircleView:
            changed = await change(session, await members.acting(session, self._actor))
            return CircleView.of(changed, reader=self._actor.id)

        return await self._db.run(run)


ChangeDep = Annotated[Change, Depends()]


@router.get("")
async def list_circles(
    actor: CurrentMember,
    db: DatabaseDep,
    status: Literal["active", "closed"] = "active",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[CircleView]:
    """The cooperative's circles, by name."""
    async with db.reading() as session:
        await members.acting(session, actor)
        found, following = await queries.circles(session, status=status, cursor=cursor, limit=limit)
    return Page(items=[CircleView.of(one, reader=actor.id) for one in found], next=following)


@router.get("/{circle_id}")
async def read_circle(circle_id: UUID, actor: CurrentMember, db: DatabaseDep) -> CircleView:
    """One circle, also a closed one."""
    async with db.reading() as session:
        await members.acting(session, actor)
        return CircleView.of(await queries.circle_by_id(session, circle_id), reader=actor.id)


@router.post("", status_code=201)
async def make_circle(form: CircleForm, actor: CurrentMember, db: DatabaseDep, once: OnceDep) -> CircleView:
    """A new circle; whoever makes it is its first member."""
    async with db.transaction() as session:
        founder = await members.acting(session, actor)

        async def make() -> CircleView:
            made = await circles.make(session, name=form.name, purpose=form.purpose, by=founder)
            return CircleView.of(made, reader=actor.id)

        return await once(session, actor.id, form, CircleView, make)


@router.patch("/{circle_id}")
async def change_circle(circle_id: UUID, form: CircleChangeForm, change: ChangeDep) -> CircleView:
    """Another name or purpose: for its members and for coordinators."""
    return await change(lambda s, by: circles.describe(s, circle_id, by=by, name=form.name, purpose=form.purpose))


@router.put("/{circle_id}/members/{member_id}")
async def admit(circle_id: UUID, member_id: UUID, change: ChangeDep) -> CircleView:
    """Take a member in: for members of the circle and for coordinators."""
    return await change(lambda s, by: circles.admit(s, circle_id, member_id, by=by))


@router.delete("/{circle_id}/members/{member_id}")
async def remove(circle_id: UUID, member_id: UUID, change: ChangeDep) -> CircleView:
    """Let a member go: oneself, or as a member of the circle or a coordinator somebody."""
    return await change(lambda s, by: circles.remove(s, circle_id, member_id, by=by))


@router.post("/{circle_id}/close")
async def close(circle_id: UUID, change: ChangeDep) -> CircleView:
    """End the circle: for its members and for coordinators."""
    return await change(lambda s, by: circles.close(s, circle_id, by=by))

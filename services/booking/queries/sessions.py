"""Sessions with their roles and sign-ups, as the rules take them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Person
from services.booking.domain.planned_session import Extra, PlannedSession, Role, Step
from services.booking.domain.seating import ACTIVE, Seating, SignUp
from services.booking.tables import circles, session_roles, session_sign_ups, sessions


async def seating(session: AsyncSession, session_id: UUID, *, lock: bool = False) -> Seating | None:
    """A session with who sits where. `lock`: nobody else changes its seats until the transaction ends."""
    found = sa.select(sessions).where(sessions.c.id == session_id)
    rows = (await session.execute(found.with_for_update() if lock else found)).all()
    return (await seatings(session, rows))[0] if rows else None


async def seatings(session: AsyncSession, rows: Sequence[sa.Row[Any]]) -> list[Seating]:
    """The sessions of these rows, in their order, with who sits where."""
    ids = [row.id for row in rows]
    roles = await _roles(session, ids)
    sign_ups = await _sign_ups(session, ids)
    found = [Seating(planned=_planned(row, roles.get(row.id, [])), sign_ups=sign_ups.get(row.id, [])) for row in rows]
    for one in found:
        if one.planned.rotating_role is not None:
            one.last_holders = await last_holders(session, one.planned)
    return found


async def last_holders(session: AsyncSession, planned: PlannedSession) -> frozenset[UUID]:
    """Who has the rotating seat at the session before or after this one, of its series or else of its circle."""
    alike = _alike(planned)
    if alike is None:
        return frozenset()
    others = sa.and_(
        alike, sessions.c.rotating_role.is_not(None), sessions.c.status == "planned", sessions.c.id != planned.id
    )
    here = sa.tuple_(sessions.c.starts_at, sessions.c.id)
    place = sa.tuple_(sa.bindparam(None, planned.starts_at, sa.DateTime(timezone=True)), sa.bindparam(None, planned.id))
    before = sa.select(sessions.c.id).where(others, here < place).order_by(sessions.c.starts_at.desc()).limit(1)
    after = sa.select(sessions.c.id).where(others, here > place).order_by(sessions.c.starts_at).limit(1)
    neighbours = sa.or_(sessions.c.id == before.scalar_subquery(), sessions.c.id == after.scalar_subquery())
    holders = (
        sa.select(session_sign_ups.c.member_id)
        .join(sessions, sessions.c.id == session_sign_ups.c.session_id)
        .where(neighbours, session_sign_ups.c.role == sessions.c.rotating_role, session_sign_ups.c.state == "taken")
    )
    return frozenset((await session.execute(holders)).scalars())


async def sessions_signed_up(session: AsyncSession, member_id: UUID) -> list[UUID]:
    """The sessions to come in which this member has a seat or waits for one, sorted."""
    found = (
        sa.select(sessions.c.id)
        .join(session_sign_ups, session_sign_ups.c.session_id == sessions.c.id)
        .where(session_sign_ups.c.member_id == member_id, session_sign_ups.c.state.in_(ACTIVE))
        .where(sessions.c.starts_at > sa.func.now(), sessions.c.status == "planned")
        .order_by(sessions.c.id)
    )
    return list((await session.execute(found)).scalars())


async def circle_names(session: AsyncSession, circle_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the open circles among these ("" where the name is not known yet)."""
    found = sa.select(circles.c.id, circles.c.name).where(circles.c.id.in_(circle_ids), circles.c.status == "active")
    return {row.id: row.name or "" for row in await session.execute(found)}


def visible_to(person: Person) -> sa.ColumnElement[bool]:
    """The condition that `PlannedSession.may_see` states, for lists."""
    if person.is_coordinator:
        return sa.true()
    return sa.or_(
        sessions.c.audience == "cooperative",
        sessions.c.organiser_member_id == person.id,
        sessions.c.audience_circle_ids.overlap(list(person.circle_ids)),
        signed_up(person),
    )


def signed_up(person: Person) -> sa.ColumnElement[bool]:
    """Sessions in which this person has a seat or waits for one."""
    mine = sa.select(session_sign_ups.c.session_id)
    return sessions.c.id.in_(
        mine.where(session_sign_ups.c.member_id == person.id, session_sign_ups.c.state.in_(ACTIVE))
    )


def _alike(planned: PlannedSession) -> sa.ColumnElement[bool] | None:
    """Which sessions have the same people taking turns; None where nobody does."""
    if planned.series_id is not None:
        return sessions.c.series_id == planned.series_id
    circle = planned.gathers
    if circle is None:
        return None
    return sa.or_(
        sessions.c.circle_id == circle,
        sa.and_(sessions.c.circle_id.is_(None), sessions.c.audience_circle_ids == [circle]),
    )


async def _roles(session: AsyncSession, ids: list[UUID]) -> dict[UUID, list[Role]]:
    found = sa.select(session_roles).where(session_roles.c.session_id.in_(ids)).order_by(session_roles.c.position)
    roles: dict[UUID, list[Role]] = {}
    for row in await session.execute(found):
        role = Role(code=row.code, label=row.label, minimum=row.minimum, maximum=row.maximum)
        roles.setdefault(row.session_id, []).append(role)
    return roles


async def _sign_ups(session: AsyncSession, ids: list[UUID]) -> dict[UUID, list[SignUp]]:
    """The active ones, in order of arrival."""
    found = sa.select(session_sign_ups).where(
        session_sign_ups.c.session_id.in_(ids), session_sign_ups.c.state.in_(ACTIVE)
    )
    sign_ups: dict[UUID, list[SignUp]] = {}
    for row in await session.execute(found.order_by(session_sign_ups.c.number)):
        one = SignUp(
            id=row.id,
            number=row.number,
            member_id=row.member_id,
            member_name=row.member_name,
            role=row.role,
            state=row.state,
            seat=row.seat,
            accept_by=row.accept_by,
            answers=row.answers,
            changed_at=row.changed_at,
        )
        sign_ups.setdefault(row.session_id, []).append(one)
    return sign_ups


def _planned(row: sa.Row[Any], roles: list[Role]) -> PlannedSession:
    values: dict[str, Any] = {column.name: getattr(row, column.name) for column in sessions.c}
    values["steps"] = [Step(**step) for step in row.steps]
    values["extras"] = [Extra(**extra) for extra in row.extras]
    return PlannedSession(**values, roles=roles)


def moment(at: datetime) -> sa.BindParameter[datetime]:
    """`at` as a parameter that PostgreSQL takes for an instant, also inside a tuple."""
    return sa.bindparam(None, at, sa.DateTime(timezone=True))

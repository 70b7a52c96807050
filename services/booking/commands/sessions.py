"""Planning sessions, changing, moving and calling them off."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.seats import arrival, opened, save
from services.booking.domain.deciding import Person
from services.booking.domain.planned_session import (
    Extra,
    PlannedSession,
    Role,
    Step,
    check_times,
    reminded_from_the_start,
)
from services.booking.domain.seating import Seating
from services.booking.domain.session_problems import SeatsAreTaken
from services.booking.queries import sessions as reading
from services.booking.tables import session_roles, session_sign_ups, sessions
from services.chassis.problems import FieldError, InvalidFields, NotAllowed, Text

_NOT_YOURS = Text(
    fr="Choisissez un cercle ouvert dont vous êtes membre.",
    en="Choose an open circle that you belong to.",
    nl="Kies een open kring waar u lid van bent.",
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the organiser says of a session, beside its time."""

    title: str
    text: str
    place_label: str | None
    video_url: str | None
    confidentiality: str
    accept_hours: int
    roles: list[Role]
    steps: list[Step]
    extras: list[Extra]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A new session, or one for each of `periods` (UTC) that share a series. `ids`: as many as periods."""

    ids: list[UUID]
    periods: list[tuple[datetime, datetime]]
    series_id: UUID | None
    template: Any
    time_zone: str
    circle_id: UUID | None
    audience: Any
    audience_circle_ids: list[UUID] = field(default_factory=list[UUID])
    private: bool = False
    rotating_role: str | None = None
    organiser_role: str | None = None


async def plan(session: AsyncSession, wanted: Plan, contents: Contents, *, by: Person) -> Seating:
    """Plan sessions. Returns the first. Raises InvalidFields."""
    now = await queries.database_time(session)
    names = await _check_circles(session, wanted, by)
    for start, end in wanted.periods:
        check_times(start, end, contents.steps, now=now)
    made: list[Seating] = []
    for session_id, (start, end) in zip(wanted.ids, wanted.periods, strict=True):
        planned = PlannedSession(
            id=session_id,
            series_id=wanted.series_id,
            template=wanted.template,
            starts_at=start,
            ends_at=end,
            time_zone=wanted.time_zone,
            organiser_member_id=by.id,
            organiser_name=by.name,
            circle_id=wanted.circle_id,
            circle_name=names.get(wanted.circle_id) or None if wanted.circle_id else None,
            audience=wanted.audience,
            audience_circle_ids=wanted.audience_circle_ids,
            private=wanted.private,
            rotating_role=wanted.rotating_role,
            status="planned",
            reason=None,
            version=0,
            reminded_at=reminded_from_the_start(start, now),
            created_at=now,
            changed_at=now,
            **_parts(contents),
        )
        made.append(await _insert(session, planned, wanted, by, now))
    return made[0]


async def change(session: AsyncSession, session_id: UUID, contents: Contents, *, by: Person) -> Seating:
    """Change what is said of a session. Raises NotFound, NotAllowed, InvalidFields, SeatsAreTaken, SessionHasBegun."""
    seating, now = await _led(session, session_id, by)
    planned = seating.planned
    check_times(planned.starts_at, planned.ends_at, contents.steps, now=now)
    await _change_roles(session, seating, contents.roles)
    for name, value in _parts(contents).items():
        setattr(planned, name, value)
    if planned.role(planned.rotating_role or "") is None:
        planned.rotating_role = None
    seating.pass_on(now)
    await save(session, seating, now)
    return seating


async def move(session: AsyncSession, session_id: UUID, start: datetime, end: datetime, *, by: Person) -> Seating:
    """Another time (UTC); seats are kept. Raises NotFound, NotAllowed, InvalidFields, SessionHasBegun."""
    seating, now = await _led(session, session_id, by)
    seating.planned.move(start, end, now=now)
    seating.keep_offers_within(now)
    await save(session, seating, now)
    return seating


async def cancel(session: AsyncSession, session_id: UUID, *, reason: str | None, by: Person) -> Seating:
    """Call it off. Raises NotFound, NotAllowed, SessionIsCancelled, SessionHasBegun."""
    seating, now = await _led(session, session_id, by)
    seating.planned.cancel(reason=reason, now=now)
    await save(session, seating, now)
    return seating


async def _led(session: AsyncSession, session_id: UUID, by: Person) -> tuple[Seating, datetime]:
    """The session, locked, for somebody who leads it, with the database's time."""
    seating = await opened(session, session_id, by)
    if not seating.planned.may_lead(by):
        raise NotAllowed
    now = await queries.database_time(session)
    seating.planned.check_open(now)
    return seating, now


async def _check_circles(session: AsyncSession, wanted: Plan, by: Person) -> dict[UUID, str]:
    """The names of the circles concerned. Raises InvalidFields for one that is not this person's."""
    asked = {*wanted.audience_circle_ids, *([wanted.circle_id] if wanted.circle_id else [])}
    names = await reading.circle_names(session, asked)
    allowed = set(names) if by.is_coordinator else set(names) & by.circle_ids
    if wanted.circle_id is not None and wanted.circle_id not in allowed:
        raise InvalidFields(FieldError("circle_id", "not_yours", _NOT_YOURS))
    if not set(wanted.audience_circle_ids) <= allowed:
        raise InvalidFields(FieldError("audience_circle_ids", "not_yours", _NOT_YOURS))
    return names


def _parts(contents: Contents) -> dict[str, Any]:
    return {name: getattr(contents, name) for name in contents.__dataclass_fields__}


async def _insert(session: AsyncSession, planned: PlannedSession, wanted: Plan, by: Person, now: datetime) -> Seating:
    row = {column.name: getattr(planned, column.name) for column in sessions.c}
    row |= {name: [asdict(one) for one in row[name]] for name in ("steps", "extras")}
    await session.execute(sa.insert(sessions).values(row))
    await session.execute(sa.insert(session_roles).values(_role_rows(planned.id, planned.roles)))
    last = await reading.last_holders(session, planned) if planned.rotating_role else frozenset[UUID]()
    seating = Seating(planned=planned, sign_ups=[], last_holders=last)
    if wanted.organiser_role is not None:
        seating.arrive(arrival(by, wanted.organiser_role, {}, now), now)
    await save(session, seating, now)
    return seating


def _role_rows(session_id: UUID, roles: list[Role]) -> list[dict[str, Any]]:
    return [{"session_id": session_id, "position": place, **asdict(role)} for place, role in enumerate(roles)]


async def _change_roles(session: AsyncSession, seating: Seating, roles: list[Role]) -> None:
    """Other labels and limits; seats that are held stay. Raises SeatsAreTaken."""
    wanted = {role.code: role for role in roles}
    for role in seating.planned.roles:
        held = len(seating.held(role.code))
        if role.code not in wanted and held + seating.count(role.code, "waiting"):
            raise SeatsAreTaken(role=role.label, seats=held)
        if role.code in wanted and held > wanted[role.code].maximum:
            raise SeatsAreTaken(role=role.label, seats=held)
    for moved in seating.close_ranks():
        seat = sa.update(session_sign_ups).where(session_sign_ups.c.id == moved.id).values(seat=moved.seat)
        await session.execute(seat)
    before = {role.code for role in seating.planned.roles}
    of_session = session_roles.c.session_id == seating.planned.id
    await session.execute(sa.delete(session_roles).where(of_session, session_roles.c.code.not_in(wanted)))
    for place, role in enumerate(roles):
        values = {"position": place, **asdict(role)}
        if role.code in before:
            changing = sa.update(session_roles).where(of_session, session_roles.c.code == role.code).values(values)
            await session.execute(changing)
        else:
            await session.execute(sa.insert(session_roles).values(session_id=seating.planned.id, **values))

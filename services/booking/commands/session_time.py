"""What time does to sessions: offers pass, the rotating seat opens, the day before is said. By the database's clock."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SessionReminder
from services.booking import queries
from services.booking.commands.seats import save
from services.booking.domain.planned_session import REMINDED_BEFORE
from services.booking.domain.seating import ROTATION_KEPT, state_of
from services.booking.queries import sessions as reading
from services.booking.tables import session_roles, session_sign_ups, sessions
from services.chassis import outbox

BATCH = 100


async def pass_offers_on(session: AsyncSession) -> int:
    """Let offers pass that nobody accepted in time; the next in line is offered the seat. Returns how many sessions."""
    ended = sa.select(session_sign_ups.c.session_id).where(
        session_sign_ups.c.state == "offered", session_sign_ups.c.accept_by <= sa.func.now()
    )
    return await _pass_on(session, sessions.c.id.in_(ended))


async def open_rotating_seats(session: AsyncSession) -> int:
    """Offer the rotating seat, 48 hours before the start, to those who waited because they had it last time."""
    held = (
        sa.select(sa.func.count())
        .where(session_sign_ups.c.session_id == sessions.c.id, session_sign_ups.c.role == sessions.c.rotating_role)
        .where(session_sign_ups.c.seat.is_not(None))
        .correlate(sessions)
        .scalar_subquery()
    )
    waits = sa.exists().where(
        session_sign_ups.c.session_id == sessions.c.id,
        session_sign_ups.c.role == sessions.c.rotating_role,
        session_sign_ups.c.state == "waiting",
    )
    free = sa.exists().where(
        session_roles.c.session_id == sessions.c.id,
        session_roles.c.code == sessions.c.rotating_role,
        session_roles.c.maximum > held,
    )
    soon = sessions.c.starts_at.between(sa.func.now(), sa.func.now() + ROTATION_KEPT)
    return await _pass_on(session, sa.and_(sessions.c.rotating_role.is_not(None), soon, waits, free))


async def remind(session: AsyncSession) -> int:
    """Say once of each session that it begins within a day. Returns how many."""
    due = (
        sa.select(sessions.c.id)
        .where(sessions.c.reminded_at.is_(None), sessions.c.status == "planned")
        .where(sessions.c.starts_at.between(sa.func.now(), sa.func.now() + REMINDED_BEFORE))
        .order_by(sessions.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = list((await session.execute(due)).scalars())
    now = await queries.database_time(session)
    for session_id in ids:
        seating = await reading.seating(session, session_id)
        if seating is None:
            continue
        await session.execute(sa.update(sessions).where(sessions.c.id == session_id).values(reminded_at=now))
        reminder = SessionReminder(
            session=state_of(seating),
            member_ids=seating.seated(),
            video_url=seating.planned.video_url,
            short=seating.is_short(),
        )
        await outbox.add(session, reminder)
    return len(ids)


async def _pass_on(session: AsyncSession, which: sa.ColumnElement[bool]) -> int:
    found = sa.select(sessions.c.id).where(which, sessions.c.status == "planned")
    found = found.order_by(sessions.c.id).limit(BATCH).with_for_update(skip_locked=True)
    ids: list[UUID] = list((await session.execute(found)).scalars())
    now = await queries.database_time(session)
    done = 0
    for session_id in ids:
        seating = await reading.seating(session, session_id)
        if seating is None:
            continue
        seating.pass_on(now)
        if seating.changed:
            await save(session, seating, now)
            done += 1
    return done


SWEEPS = (pass_offers_on, open_rotating_seats, remind)

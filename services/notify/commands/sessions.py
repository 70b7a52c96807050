"""Sessions, told to those who take part. Any event may be the first to bring a session's newest state."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeatChanged, SeatStatus, SessionReminder, SessionState
from services.notify import domain
from services.notify.commands import telling
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import session_seats, sessions

OFFERED = "session-seat-offered"
_CONCERNED: tuple[SeatStatus, ...] = ("taken", "offered", "waiting")


async def changed(session: AsyncSession, state: SessionState, *, now: datetime) -> None:
    """Tell everybody concerned when it was moved or called off."""
    await _follow(session, state, now=now)


async def seat_changed(session: AsyncSession, event: SeatChanged, *, now: datetime) -> None:
    """Tell one person of their seat, unless something newer was told already."""
    newest = await _follow(session, event.session, now=now)
    seat = event.seat
    before = await _note_seat(session, event)
    if before is None:
        return
    await telling.no_longer_ask(session, str(newest.id), OFFERED, now=now, of=seat.member_id)
    weight, facts = domain.SEAT_WEIGHTS[seat.state], domain.seat_facts(seat)
    template = f"session-seat-{seat.state}"
    if newest.status == "cancelled":
        if seat.state not in _CONCERNED:
            return
        template, weight = "session-cancelled", Weight.IMPORTANT  # called off before this person heard of the seat
    elif seat.state == "taken":
        facts["calendar"] = domain.session_calendar("REQUEST", newest)
    elif seat.state == "left" and before == "taken":
        facts["calendar"] = domain.session_calendar("CANCEL", newest)
        weight = Weight.IMPORTANT
    facts["was_taken"] = before == "taken"
    told = Told(message=_message(template, weight, newest, facts), readers=frozenset({seat.member_id}))
    await telling.tell(session, told, now=now)


async def reminded(session: AsyncSession, event: SessionReminder, *, now: datetime) -> None:
    """Remind those with a seat, and the organiser of what is missing."""
    newest = await _follow(session, event.session, now=now)
    if newest.status == "cancelled" or newest.start <= now:
        return
    facts = {"video": event.video_url, "short": False}
    organiser = frozenset({newest.organiser_member_id})
    seated = Told(
        message=_message("session-reminder", Weight.IMPORTANT, newest, facts),
        readers=frozenset(event.member_ids) - organiser,
    )
    leads = Told(
        message=_message("session-reminder", Weight.IMPORTANT, newest, facts | {"short": event.short}),
        readers=organiser,
    )
    await telling.tell(session, seated, leads, now=now)


async def _follow(session: AsyncSession, state: SessionState, *, now: datetime) -> SessionState:
    """Keep the newest state, and tell what it changes for those concerned. Returns the newest.

    What its organiser wrote is in no message, and is not kept here.
    """
    row = {
        "id": state.id,
        "version": state.version,
        "ends_at": state.end,
        "state": state.model_copy(update={"text": ""}).model_dump(mode="json"),
    }
    first = insert(sessions).values(row).on_conflict_do_nothing().returning(sessions.c.id)
    if (await session.execute(first)).scalar() is not None:
        return state
    kept = sa.select(sessions.c.state).where(sessions.c.id == state.id).with_for_update()
    before = SessionState.model_validate((await session.execute(kept)).scalar_one())
    if before.version >= state.version:
        return before
    await session.execute(sa.update(sessions).where(sessions.c.id == state.id).values(row))
    if state.status == "cancelled" and before.status != "cancelled":
        await _tell_concerned(session, "session-cancelled", state, {"was_taken": False}, method="CANCEL", now=now)
    elif domain.is_moved(before, state):
        was = before.start.isoformat() if (before.start, before.end) != (state.start, state.end) else None
        await _tell_concerned(session, "session-moved", state, {"was_start": was}, method="REQUEST", now=now)
    return state


async def _tell_concerned(
    session: AsyncSession, template: str, state: SessionState, extra: dict[str, Any], *, method: Any, now: datetime
) -> None:
    """Whoever has a seat (their calendar follows), is offered one or waits; the organiser finds it in the inbox."""
    found = sa.select(session_seats.c.member_id, session_seats.c.state).where(session_seats.c.session_id == state.id)
    rows = (await session.execute(found.where(session_seats.c.state.in_(_CONCERNED)))).all()
    seated = frozenset[UUID](row.member_id for row in rows if row.state == "taken")
    others = frozenset[UUID](row.member_id for row in rows) - seated
    entry = {"calendar": domain.session_calendar(method, state)}
    with_entry = _message(template, Weight.IMPORTANT, state, extra | {"was_taken": True} | entry)
    without = _message(template, Weight.IMPORTANT, state, extra | {"was_taken": False})
    organiser = frozenset({state.organiser_member_id}) - seated - others
    quietly = _message(template, Weight.QUIET, state, extra | {"was_taken": False})
    await telling.tell(
        session,
        Told(message=with_entry, readers=seated),
        Told(message=without, readers=others),
        Told(message=quietly, readers=organiser),
        now=now,
    )


async def _note_seat(session: AsyncSession, event: SeatChanged) -> str | None:
    """Remember this person's seat. Returns what it was before ("" when unheard of), None for what was overtaken."""
    here = sa.and_(session_seats.c.session_id == event.session.id, session_seats.c.member_id == event.seat.member_id)
    before = (await session.execute(sa.select(session_seats.c.state, session_seats.c.version).where(here))).first()
    if before is not None and before.version >= event.session.version:
        return None
    row = {"state": event.seat.state, "version": event.session.version}
    key = {"session_id": event.session.id, "member_id": event.seat.member_id}
    new = insert(session_seats).values(key | row)
    await session.execute(new.on_conflict_do_update(index_elements=list(key), set_=row))
    return "" if before is None else str(before.state)


def _message(template: str, weight: Weight, state: SessionState, facts: dict[str, Any]) -> Message:
    return Message(
        template=template,
        weight=weight,
        about=About(type="session", id=str(state.id)),
        url=f"/sessions/{state.id}",
        facts=domain.session_facts(state) | facts,
    )

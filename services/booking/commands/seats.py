"""Signing up for a seat, accepting one, leaving it. Each locks the session, so that the list keeps its order."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import SeatChanged, SessionChanged
from services.booking import queries
from services.booking.domain.deciding import Person
from services.booking.domain.planned_session import Extra
from services.booking.domain.seating import Seating, SignUp, seat_of, state_of
from services.booking.queries import sessions as reading
from services.booking.tables import session_sign_ups, sessions
from services.chassis import outbox
from services.chassis.ids import new_id
from services.chassis.problems import FieldError, InvalidFields, NotFound, Text

_NEWEST = 2**62
"""Where somebody stands in the list until the database has given them their number: at its end."""

_NO_ROLE = Text(
    fr="Cette séance n'a pas ce rôle.", en="This session has no such role.", nl="Deze sessie heeft die rol niet."
)
_NO_EXTRA = Text(
    fr="Cette séance ne pose pas cette question.",
    en="This session asks no such question.",
    nl="Deze sessie stelt die vraag niet.",
)
_ANSWER = Text(
    fr="Oui ou non, ou un nombre de 0 à {most}.",
    en="Yes or no, or a number from 0 to {most}.",
    nl="Ja of nee, of een getal van 0 tot {most}.",
)


async def sign_up(
    session: AsyncSession, session_id: UUID, role: str, answers: dict[str, Any], *, by: Person
) -> Seating:
    """Take a free seat, or a place at the end of the waiting list.

    Raises NotFound, InvalidFields, AlreadySignedUp, SessionIsCancelled, SessionHasBegun.
    """
    seating, now = await _to_change(session, session_id, by)
    if seating.planned.role(role) is None:
        raise InvalidFields(FieldError("role", "unknown_role", _NO_ROLE))
    kept = checked_answers(seating.planned.extras, answers)
    seating.arrive(arrival(by, role, kept, now), now)
    await save(session, seating, now)
    return seating


async def accept(session: AsyncSession, session_id: UUID, *, by: Person) -> Seating:
    """Take the seat that was offered. Raises NotFound, NothingOffered, SessionIsCancelled, SessionHasBegun."""
    seating, now = await _to_change(session, session_id, by)
    seating.accept(by.id, now)
    await save(session, seating, now)
    return seating


async def leave(session: AsyncSession, session_id: UUID, *, by: Person) -> Seating:
    """Give up a seat, an offer or a place in the list; the next in line is offered what is free.

    Raises NotFound, NotSignedUp, SessionIsCancelled, SessionHasBegun.
    """
    seating, now = await _to_change(session, session_id, by)
    seating.leave(by.id, now)
    seating.pass_on(now)
    await save(session, seating, now)
    return seating


async def answer(session: AsyncSession, session_id: UUID, answers: dict[str, Any], *, by: Person) -> Seating:
    """Other answers to the small questions. Raises NotFound, InvalidFields, SessionHasBegun; nobody is told."""
    seating, now = await _to_change(session, session_id, by)
    mine = seating.of(by.id)
    if mine is None:
        raise NotFound
    mine.answers = checked_answers(seating.planned.extras, answers)
    saving = sa.update(session_sign_ups).where(session_sign_ups.c.id == mine.id)
    await session.execute(saving.values(answers=mine.answers, changed_at=now))
    if seating.changed:  # offers that had passed meanwhile
        await save(session, seating, now)
    return seating


async def leave_all(session: AsyncSession, member_id: UUID) -> None:
    """Somebody has left the cooperative: every seat of theirs goes to the next in line."""
    for session_id in await reading.sessions_signed_up(session, member_id):
        seating = await reading.seating(session, session_id, lock=True)
        if seating is None or seating.of(member_id) is None:
            continue
        now = await queries.database_time(session)
        seating.leave(member_id, now)
        seating.pass_on(now)
        await save(session, seating, now)


async def opened(session: AsyncSession, session_id: UUID, by: Person) -> Seating:
    """The session, locked. Raises NotFound when there is none for this person."""
    seating = await reading.seating(session, session_id, lock=True)
    if seating is None or not seating.planned.may_see(by, signed_up=seating.of(by.id) is not None):
        raise NotFound
    return seating


async def save(session: AsyncSession, seating: Seating, now: datetime) -> None:
    """Write what has changed and say it: each seat to its person, then the session as a whole."""
    planned = seating.planned
    for sign_up in seating.changed:
        await _write(session, seating, sign_up)
    first = planned.version + 1
    planned.version += len(seating.changed) + 1
    planned.changed_at = now
    row = {column.name: getattr(planned, column.name) for column in sessions.c}
    row |= {name: [asdict(one) for one in row[name]] for name in ("steps", "extras")}
    await session.execute(sa.update(sessions).where(sessions.c.id == planned.id).values(row))
    told = [
        SeatChanged(session=state_of(seating, version=version), seat=seat_of(seating, sign_up))
        for version, sign_up in enumerate(seating.changed, start=first)
    ]
    await outbox.add(session, *told, SessionChanged(session=state_of(seating)))
    seating.changed = []


def arrival(by: Person, role: str, answers: dict[str, Any], now: datetime) -> SignUp:
    """Somebody who comes now."""
    return SignUp(
        id=new_id(),
        number=_NEWEST,
        member_id=by.id,
        member_name=by.name,
        role=role,
        state="waiting",
        seat=None,
        accept_by=None,
        answers=answers,
        changed_at=now,
    )


def checked_answers(extras: list[Extra], answers: dict[str, Any]) -> dict[str, Any]:
    """The answers, whole: no, or zero, where none was given. Raises InvalidFields."""
    known = {extra.code: extra for extra in extras}
    errors = [FieldError(f"answers.{code}", "unknown", _NO_EXTRA) for code in answers if code not in known]
    kept: dict[str, Any] = {}
    for code, extra in known.items():
        given = answers.get(code, False if extra.kind == "yes_no" else 0)
        right = isinstance(given, bool) == (extra.kind == "yes_no")
        if not right or not 0 <= int(given) <= extra.maximum:
            errors.append(FieldError(f"answers.{code}", "out_of_range", _ANSWER, (("most", extra.maximum),)))
        kept[code] = given
    if errors:
        raise InvalidFields(*errors)
    return kept


async def _to_change(session: AsyncSession, session_id: UUID, by: Person) -> tuple[Seating, datetime]:
    """The session, locked and still open, with offers passed on whose time is over by the database's clock."""
    seating = await opened(session, session_id, by)
    now = await queries.database_time(session)
    seating.planned.check_open(now)
    seating.pass_on(now)
    return seating, now


async def _write(session: AsyncSession, seating: Seating, sign_up: SignUp) -> None:
    columns = session_sign_ups.c
    values = {
        "state": sign_up.state,
        "seat": sign_up.seat,
        "accept_by": sign_up.accept_by,
        "changed_at": sign_up.changed_at,
    }
    if sign_up.number != _NEWEST:
        await session.execute(sa.update(session_sign_ups).where(columns.id == sign_up.id).values(values))
        return
    role = seating.planned.role(sign_up.role)
    assert role is not None  # noqa: S101 - the caller has looked
    who = {"id": sign_up.id, "member_id": sign_up.member_id, "member_name": sign_up.member_name}
    where = {"session_id": seating.planned.id, "role": role.code, "role_maximum": role.maximum}
    adding = sa.insert(session_sign_ups).values(
        **who, **where, **values, answers=sign_up.answers, signed_up_at=sign_up.changed_at
    )
    sign_up.number = (await session.execute(adding.returning(columns.number))).scalar_one()

"""Putting people in touch: one asks with a message, the other is asked first; notify tells addresses after a yes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionAsked, IntroductionWithdrawn
from services.chassis import outbox
from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.problems import NotFound, Problem, Text
from services.matching import audience
from services.matching.commands import introductions as store
from services.matching.commands import leaving
from services.matching.commands.answering import answer as answer_match
from services.matching.commands.answering import only_its_owner
from services.matching.domain import Reason
from services.matching.member_tables import introductions
from services.matching.queries.matches import need_of
from services.matching.tables import OURS, proposals, things

MOST_OPEN = 20
"""Questions of one person, or of one person of a peer, that may wait for an answer at once."""

MOST_A_DAY = 30
"""Questions that one person may ask within 24 hours."""

REST_DAYS = 30
"""So long after a no the same person may not ask about the same thing again."""

Row = sa.RowMapping


class OwnThing(Problem):
    """Nobody needs to be put in touch with themselves."""

    status = 409
    slug = "own-thing"
    text = Text(
        fr="C'est à vous : il n'y a personne d'autre à joindre.",
        en="It is yours: there is nobody else to reach.",
        nl="Dit is van u: er is niemand anders om te bereiken.",
    )


class TooManyAsked(Problem):
    """Too many questions wait for an answer."""

    status = 409
    slug = "too-many-introductions"
    text = Text(
        fr="Vous attendez déjà {most} réponses. Retirez d'abord une demande.",
        en="You are waiting for {most} answers already. Withdraw a request first.",
        nl="U wacht al op {most} antwoorden. Trek eerst een vraag in.",
    )


class TooManyToday(Problem):
    """Too many questions in a day."""

    status = 429
    slug = "too-many-introductions-today"
    text = Text(
        fr="Vous avez déjà envoyé {most} demandes de contact en 24 heures. Continuez demain.",
        en="You have sent {most} contact requests within 24 hours already. Go on tomorrow.",
        nl="U hebt al {most} contactvragen gesteld in 24 uur. Ga morgen verder.",
    )


class AnsweredNo(Problem):
    """The other side said no lately."""

    status = 409
    slug = "introduction-declined-lately"
    text = Text(
        fr="On vous a déjà répondu non à ce sujet. Vous pourrez redemander {days} jours après cette réponse.",
        en="You were told no about this already. You may ask again {days} days after that answer.",
        nl="U kreeg hierover al een neen. U kunt {days} dagen na dat antwoord opnieuw vragen.",
    )


class Settled(Problem):
    """It was answered or withdrawn before."""

    status = 409
    slug = "introduction-settled"
    text = Text(
        fr="Cette demande de contact n'attend plus de réponse.",
        en="This request is no longer waiting for an answer.",
        nl="Deze contactvraag wacht niet meer op een antwoord.",
    )


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: about the thing `key` (origin, id), for a need of the asker, with a promise of `quantity`."""

    key: tuple[str, UUID]
    message: str
    need_id: UUID | None = None
    quantity: int | None = None


async def ask(session: AsyncSession, question: Question, *, by: Actor, now: datetime, version: str = "") -> UUID:
    """Ask whoever answers for the thing; asked already, nothing happens. Returns the introduction's id.

    `version`: of the vectors that count.
    Raises NotFound for what `by` may not see, NotAllowed for a need of somebody else, OwnThing, AnsweredNo,
    TooManyAsked, TooManyToday, NotSignedIn.
    """
    await leaving.one_at_a_time(session, by.id, leaving.QUESTIONS)
    thing = await _visible(session, question.key, by, now)
    mine = sa.and_(introductions.c.asker_id == by.id, introductions.c.asker_peer == OURS)
    same = sa.and_(introductions.c.origin == thing["origin"], introductions.c.thing_id == thing["id"])
    open_ones = introductions.c.status.in_(["asked", "accepted"])
    before = (await session.execute(sa.select(introductions.c.id).where(mine, same, open_ones))).scalar()
    if before is not None:
        return before
    if await told_no(session, sa.and_(mine, same), now):
        raise AnsweredNo(days=REST_DAYS)
    await _not_too_many(session, mine, now)
    if question.need_id is not None:
        await _note_contact(session, question, by=by, now=now, version=version)
    row = await store.add(
        session,
        store.about(thing)
        | {"id": new_id(), "asker_peer": OURS, "asker_id": by.id, "asker_name": by.name, "need_id": question.need_id}
        | {"message": question.message, "quantity": question.quantity, "asked_at": now, "changed_at": now},
    )
    if row is None:
        raise NotFound
    await outbox.add(session, IntroductionAsked(introduction=store.state_of(row)))
    return row["id"]


async def answer(
    session: AsyncSession,
    key: tuple[str, UUID],
    *,
    accepted: bool,
    reason: Reason | None,
    quantity: int | None,
    by: Actor,
    now: datetime,
) -> None:
    """Say yes or no to the introduction `key` (the asker's peer, id), which asks `by`. Raises NotFound, Settled.

    `quantity`: how much is promised with a yes.
    """
    row = await store.locked(session, key, introductions.c.owner_id == by.id)
    status = "accepted" if accepted else "declined"
    if row["status"] == status:
        return
    if row["status"] != "asked":
        raise Settled
    values: dict[str, Any] = {"status": status, "reason": None if accepted else reason}
    if accepted and quantity is not None:
        values["quantity"] = quantity
    await store.settle(session, row, values, now)


async def withdraw(session: AsyncSession, introduction_id: UUID, *, by: Actor, now: datetime) -> None:
    """Ask no longer. Raises NotFound, Settled."""
    row = await store.locked(session, (OURS, introduction_id), introductions.c.asker_id == by.id)
    if row["status"] == "withdrawn":
        return
    if row["status"] != "asked":
        raise Settled
    changed = await store.change(session, row, {"status": "withdrawn"}, now)
    await outbox.add(session, IntroductionWithdrawn(introduction=store.state_of(changed)))


async def told_no(session: AsyncSession, where: sa.ColumnElement[bool], now: datetime) -> bool:
    """Whether one of these introductions was declined in the last `REST_DAYS`."""
    lately = introductions.c.changed_at > now - timedelta(days=REST_DAYS)
    declined = sa.exists().where(where, introductions.c.status == "declined", lately)
    return bool((await session.execute(sa.select(declined))).scalar_one())


async def _not_too_many(session: AsyncSession, mine: sa.ColumnElement[bool], now: datetime) -> None:
    waiting = sa.func.count().filter(introductions.c.status == "asked")
    today = sa.func.count().filter(introductions.c.asked_at > now - timedelta(days=1))
    asked = (await session.execute(sa.select(waiting, today).select_from(introductions).where(mine))).one()
    if asked[0] >= MOST_OPEN:
        raise TooManyAsked(most=MOST_OPEN)
    if asked[1] >= MOST_A_DAY:
        raise TooManyToday(most=MOST_A_DAY)


async def _note_contact(session: AsyncSession, question: Question, *, by: Actor, now: datetime, version: str) -> None:
    """The match is contacted now, with what made its score where it is one."""
    need_id, (origin, thing_id) = question.need_id, question.key
    if need_id is None:
        return
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, by)
    same = (proposals.c.need_id == need_id, proposals.c.origin == origin, proposals.c.offer_id == thing_id)
    said = (await session.execute(sa.select(proposals.c.status).where(*same))).scalar()
    if said in {"contacted", "accepted"}:
        return
    try:
        await answer_match(
            session, need_id, question.key, actor=by, status="contacted", reason=None, now=now, version=version
        )
    except NotFound:
        await store.note_match(session, need_id, question.key, {"status": "contacted", "changed_at": now})


async def _visible(session: AsyncSession, key: tuple[str, UUID], by: Actor, now: datetime) -> Row:
    owned = sa.func.coalesce(audience.owned_by(by.id), sa.false()).label("owned")
    chosen = sa.select(things, owned).where(things.c.origin == key[0], things.c.id == key[1])
    thing = (await session.execute(chosen.where(audience.visible_to(by.id, now)))).mappings().one_or_none()
    if thing is None:
        raise NotFound
    if thing["owned"]:
        raise OwnThing
    return thing

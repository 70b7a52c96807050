"""Introductions with people of peers: what came over the border, and what ends with a person or a link."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import (
    IntroductionAnswerReceived,
    IntroductionRequestReceived,
    IntroductionWithdrawalReceived,
    PersonForgotten,
)
from contracts.matching import IntroductionAsked, IntroductionWithdrawn
from services.chassis import outbox
from services.matching import audience
from services.matching.commands import introductions as store
from services.matching.commands.introducing import MOST_OPEN, told_no
from services.matching.member_tables import introductions
from services.matching.tables import OURS, things

MOST_OPEN_OF_A_PEER = 200
MOST_A_DAY_OF_A_PEER = 500
"""Questions of all people of one peer together: waiting at once, and asked within 24 hours."""


async def request_received(session: AsyncSession, event: IntroductionRequestReceived, *, now: datetime) -> None:
    """A peer's person asks about a thing of ours.

    What is gone, what is too much, and what they were told no about lately, is declined at once.
    """
    thing = sa.select(things).where(things.c.origin == OURS, things.c.id == event.thing_id, audience.standing(now))
    row = (await session.execute(thing)).mappings().one_or_none()
    about = store.about(row) if row is not None else {"origin": OURS, "thing_id": event.thing_id, "thing_title": ""}
    theirs = {"asker_peer": event.origin, "asker_peer_name": event.origin_name, "pseudonym": event.pseudonym}
    said = {"message": event.message, "quantity": event.quantity or None, "asked_at": now, "changed_at": now}
    kept = await store.add(session, about | theirs | said | {"id": event.introduction_id})
    if kept is None:
        return
    if row is None or await _asks_too_much(session, event, now):
        await store.settle(session, kept, {"status": "declined", "reason": "gone" if row is None else None}, now)
        return
    await outbox.add(session, IntroductionAsked(introduction=store.state_of(kept)))


async def answer_received(session: AsyncSession, event: IntroductionAnswerReceived, *, now: datetime) -> None:
    """A peer's person says yes or no. A withdrawal stands against a yes, which then gives nobody's address away.

    A no stands against a withdrawal that it crossed: that peer keeps it, and so it ends alike for both.
    """
    same = sa.and_(introductions.c.origin == event.origin, introductions.c.status.in_(["asked", "withdrawn"]))
    row = await store.find(session, (OURS, event.introduction_id), same)
    if row is None or (row["status"] == "withdrawn" and event.accepted):
        return
    values: dict[str, Any] = {"status": "accepted" if event.accepted else "declined", "reason": event.reason}
    if event.accepted and event.quantity:
        values["quantity"] = event.quantity
    await store.settle(session, row, values, now)


async def withdrawal_received(session: AsyncSession, event: IntroductionWithdrawalReceived, *, now: datetime) -> None:
    """A peer's person no longer asks, although our yes may be on its way; a no stays."""
    still = introductions.c.status.in_(["asked", "accepted"])
    row = await store.find(session, (event.origin, event.introduction_id), still)
    if row is not None:
        changed = await store.change(session, row, {"status": "withdrawn"}, now)
        await outbox.add(session, IntroductionWithdrawn(introduction=store.state_of(changed)))


async def forget_member(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """Somebody has left: whoever still asks them is told no, then nothing of theirs is left."""
    asked = sa.select(introductions).where(introductions.c.owner_id == member_id, introductions.c.status == "asked")
    for row in (await session.execute(asked.with_for_update())).mappings().all():
        await store.settle(session, row, {"status": "declined", "reason": "gone"}, now)
    mine = sa.or_(introductions.c.owner_id == member_id, introductions.c.asker_id == member_id)
    await session.execute(sa.delete(introductions).where(mine))


async def forget_person(session: AsyncSession, event: PersonForgotten) -> None:
    """A peer's person has left."""
    theirs = (introductions.c.asker_peer == event.origin, introductions.c.pseudonym == event.pseudonym)
    await session.execute(sa.delete(introductions).where(*theirs))


async def end_link(session: AsyncSession, peer_id: str) -> None:
    """Nothing with a peer outlives its link."""
    theirs = sa.or_(introductions.c.asker_peer == peer_id, introductions.c.origin == peer_id)
    await session.execute(sa.delete(introductions).where(theirs))


async def _asks_too_much(session: AsyncSession, event: IntroductionRequestReceived, now: datetime) -> bool:
    """Bounded for each person, and for the peer, which may make up as many people as it likes."""
    same = introductions.c.pseudonym == event.pseudonym
    asked, today = introductions.c.status == "asked", introductions.c.asked_at > now - timedelta(days=1)
    of_person, of_peer, of_peer_today = (sa.func.count().filter(one) for one in (sa.and_(same, asked), asked, today))
    chosen = sa.select(of_person > MOST_OPEN, of_peer > MOST_OPEN_OF_A_PEER, of_peer_today > MOST_A_DAY_OF_A_PEER)
    theirs = chosen.select_from(introductions).where(introductions.c.asker_peer == event.origin)
    if any((await session.execute(theirs)).one()):
        return True
    about = (introductions.c.origin == OURS, introductions.c.thing_id == event.thing_id)
    return await told_no(session, sa.and_(introductions.c.asker_peer == event.origin, same, *about), now)

"""Introductions across the border: our members' wishes and answers out, addresses only once both sides said yes."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
)
from contracts.envelope import Event
from contracts.matching import IntroductionAnswered, IntroductionAsked, IntroductionWithdrawn
from contracts.notify import IntroductionDisclosed
from services.chassis import logs
from services.federation import tables
from services.federation.bookings import pseudonym
from services.federation.gate import Introduction
from services.federation.mending_tables import introductions
from services.federation.saying import link_with, say

_log = logs.get(__name__)


class NotSaidYet(LookupError):
    """What this follows is still on its way to us: it comes again later."""


async def ask(session: AsyncSession, event: IntroductionAsked) -> None:
    """Our member's wish about a thing of a peer goes to that peer. Raises LinkNotOpenYet."""
    asked = event.introduction
    peer_id, member_id = asked.thing_origin, asked.asker.member_id
    if peer_id is None or member_id is None:
        return
    link = await link_with(session, peer_id)
    if link is None:
        _log.warning("introduction-not-sent", introduction=str(asked.id), peer=peer_id)
        return
    row = {"peer_id": peer_id, "introduction_id": asked.id, "asked_by_us": True}
    new = insert(introductions).values(**row).on_conflict_do_nothing().returning(introductions.c.peer_id)
    if (await session.execute(new)).first() is None:
        return
    said = BorderIntroductionRequested(
        introduction_id=asked.id,
        thing_id=asked.thing_id,
        pseudonym=await pseudonym(session, member_id, peer_id),
        message=asked.message,
        quantity=asked.quantity,
    )
    await say(session, link, said)


async def answer(session: AsyncSession, event: IntroductionAnswered) -> None:
    """Our person's yes or no goes to the peer whose member asked."""
    answered = event.introduction
    peer_id = answered.asker.peer_id
    if peer_id is None or answered.thing_origin is not None:
        return
    known = await known_of(session, peer_id, answered.id)
    link = await link_with(session, peer_id)
    if link is None or known is None or known.asked_by_us:
        return
    accepted = answered.status == "accepted"
    if accepted:
        await _accept(session, peer_id, answered.id)
    said = BorderIntroductionAnswered(
        introduction_id=answered.id, accepted=accepted, reason=answered.reason, quantity=answered.quantity
    )
    await say(session, link, said)


async def withdraw(session: AsyncSession, event: IntroductionWithdrawn) -> None:
    """Our member no longer asks a peer's person. Raises NotSaidYet."""
    peer_id = event.introduction.thing_origin
    if peer_id is None:
        return
    link = await link_with(session, peer_id)
    if link is None:
        return
    if await known_of(session, peer_id, event.introduction.id) is None:
        raise NotSaidYet(str(event.introduction.id))
    await say(session, link, BorderIntroductionWithdrawn(introduction_id=event.introduction.id))


async def disclose(session: AsyncSession, event: IntroductionDisclosed) -> None:
    """Name and address of our person go to the one peer, after a yes that crossed. Raises NotSaidYet."""
    link = await link_with(session, event.peer_id)
    if link is None:
        return
    known = await known_of(session, event.peer_id, event.introduction_id)
    if known is None:
        _log.error("contact-withheld", introduction=str(event.introduction_id), peer=event.peer_id)
        return
    if not known.accepted:
        raise NotSaidYet(str(event.introduction_id))
    name = await pseudonym(session, event.member_id, event.peer_id)
    said = BorderIntroduced(introduction_id=event.introduction_id, pseudonym=name, name=event.name, email=event.email)
    await say(session, link, said)


async def known_of(session: AsyncSession, peer_id: str, introduction_id: UUID) -> Introduction | None:
    """What we know of an introduction with this peer; None: nothing."""
    same = (introductions.c.peer_id == peer_id, introductions.c.introduction_id == introduction_id)
    row = (await session.execute(sa.select(introductions).where(*same))).one_or_none()
    return None if row is None else Introduction(asked_by_us=row.asked_by_us, accepted=row.accepted)


async def is_shared(session: AsyncSession, thing_id: UUID, peer_id: str) -> bool:
    """Whether the peer was told of a thing of ours, also one withdrawn since: its wish was on its way."""
    shares, links = tables.shares, tables.links
    told = sa.exists().where(
        shares.c.thing_id == thing_id,
        shares.c.listing_version > 0,
        shares.c.link_id == links.c.id,
        sa.or_(links.c.peer_id == peer_id, links.c.kind == "public"),
        links.c.status != "ended",
    )
    return bool((await session.execute(sa.select(told))).scalar_one())


async def remember(session: AsyncSession, event: Event, source: str) -> None:
    """What passed the gate: a wish of the peer's member, or its person's yes."""
    if isinstance(event, BorderIntroductionRequested):
        row = {"peer_id": source, "introduction_id": event.introduction_id, "asked_by_us": False}
        await session.execute(insert(introductions).values(**row).on_conflict_do_nothing())
    elif isinstance(event, BorderIntroductionAnswered) and event.accepted:
        await _accept(session, source, event.introduction_id)


async def _accept(session: AsyncSession, peer_id: str, introduction_id: UUID) -> None:
    same = (introductions.c.peer_id == peer_id, introductions.c.introduction_id == introduction_id)
    await session.execute(sa.update(introductions).where(*same).values(accepted=True))

"""People who are put in touch: who is asked, what was answered, and after a yes each other's name and address."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import IntroductionReceived, PersonForgotten
from contracts.matching import IntroductionState
from contracts.notify import IntroductionDisclosed
from services.chassis import outbox
from services.notify.commands import telling
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import contacts, introductions

Row = sa.RowMapping
_ASKED = "introduction-asked"


class NotKnownYet(LookupError):
    """An address, or the introduction that it belongs to, is still on its way to us: it comes again later."""


async def asked(session: AsyncSession, state: IntroductionState, *, now: datetime) -> None:
    """Ask our member who answers for the thing."""
    if not await _keep(session, state, now) or state.thing_origin is not None:
        return
    await telling.tell(session, _told(_ASKED, state.owner.member_id, _key(state), _facts(state)), now=now)


async def answered(session: AsyncSession, state: IntroductionState, *, now: datetime) -> None:
    """After a yes both are told of each other; after a no whoever asked. Raises NotKnownYet.

    Across the border the asker's address goes first, and the owner's in answer to it (`received`): until then the
    question may have been withdrawn without our knowing.
    """
    if not await _keep(session, state, now):
        return
    await telling.no_longer_ask(session, str(state.id), _ASKED, now=now)
    if state.status != "accepted":
        told = _told("introduction-declined", state.asker.member_id, _key(state), _facts(state))
        await telling.tell(session, told, now=now)
    elif state.thing_origin is not None:
        await _disclose(session, state.id, state.thing_origin, state.asker.member_id)
    elif state.asker.peer_id is None:
        await _introduce_our_own(session, state, now)


async def withdrawn(session: AsyncSession, state: IntroductionState, *, unanswered: bool, now: datetime) -> None:
    """Nobody asks any more; whoever did is told, when it was not they who decided so but time."""
    if not await _keep(session, state, now):
        return
    await telling.no_longer_ask(session, str(state.id), _ASKED, now=now)
    if unanswered:
        told = _told("introduction-unanswered", state.asker.member_id, _key(state), _facts(state))
        await telling.tell(session, told, now=now)


async def received(session: AsyncSession, event: IntroductionReceived, *, now: datetime) -> None:
    """Give the address of a peer's person to our member once, and our owner's to whoever asked. Raises NotKnownYet."""
    same = sa.and_(introductions.c.id == event.introduction_id, introductions.c.peer_id == event.origin)
    chosen = sa.select(introductions).where(same).with_for_update()
    row = (await session.execute(chosen)).mappings().one_or_none()
    if row is None or row["status"] == "asked":
        raise NotKnownYet(f"introduction {event.introduction_id} with {event.origin}")
    if row["status"] != "accepted" or row["email"]:
        return
    if row["owner_id"] is not None:
        await _disclose(session, event.introduction_id, event.origin, row["owner_id"])
    known = {"name": event.name, "email": event.email, "pseudonym": event.pseudonym}
    await session.execute(sa.update(introductions).where(same).values(known))
    reader: UUID | None = row["asker_id"] or row["owner_id"]
    facts = {"thing": row["thing"], "name": event.name, "email": event.email, "their_cooperative": event.origin_name}
    asked_by = None if row["asker_id"] else event.origin
    told = _told("introduction-made", reader, (event.introduction_id, asked_by), facts)
    await telling.tell(session, told, now=now)


async def contact_for(
    session: AsyncSession, introduction_id: UUID, peer_id: str, *, reader: UUID
) -> tuple[str, str] | None:
    """Name and address of the other one, for one of the two who are in touch; None for anybody else, and before."""
    mine = sa.or_(introductions.c.asker_id == reader, introductions.c.owner_id == reader)
    same = (introductions.c.id == introduction_id, introductions.c.peer_id == peer_id)
    chosen = sa.select(introductions).where(*same, mine, introductions.c.status == "accepted")
    row = (await session.execute(chosen)).mappings().one_or_none()
    if row is None:
        return None
    if row["peer_id"]:
        return (row["name"], row["email"]) if row["email"] else None
    other = row["owner_id"] if row["asker_id"] == reader else row["asker_id"]
    found = await _contact(session, other)
    return None if found is None or found.email is None else (found.name, found.email)


async def forget(session: AsyncSession, where: UUID | str | PersonForgotten) -> None:
    """Delete what is kept of a member of ours, of a peer, or of a peer's person, and what the other one was told."""
    if isinstance(where, PersonForgotten):
        whose = sa.and_(introductions.c.peer_id == where.origin, introductions.c.pseudonym == where.pseudonym)
    elif isinstance(where, str):
        whose = introductions.c.peer_id == where
    else:
        whose = sa.or_(introductions.c.asker_id == where, introductions.c.owner_id == where)
    gone = sa.delete(introductions).where(whose).returning(sa.cast(introductions.c.id, sa.Text))
    ids = list((await session.execute(gone)).scalars())
    if not isinstance(where, str):
        await telling.forget_what_was_told(session, "introduction", ids)


async def _keep(session: AsyncSession, state: IntroductionState, now: datetime) -> bool:
    """Whether this is the newest that we heard of it."""
    new = insert(introductions).values(
        id=state.id,
        peer_id=state.asker.peer_id or state.thing_origin or "",
        asker_id=state.asker.member_id,
        owner_id=state.owner.member_id if state.thing_origin is None else None,
        pseudonym=state.asker.pseudonym,
        thing=state.thing_title,
        status=state.status,
        version=state.version,
        at=now,
    )
    newer = new.on_conflict_do_update(
        index_elements=["id", "peer_id"],
        set_={"status": new.excluded.status, "version": new.excluded.version, "at": new.excluded.at},
        where=introductions.c.version < new.excluded.version,
    )
    return (await session.execute(newer.returning(introductions.c.id))).scalar() is not None


async def _introduce_our_own(session: AsyncSession, state: IntroductionState, now: datetime) -> None:
    asker, owner = state.asker.member_id, state.owner.member_id
    known = {one: await _contact(session, one) for one in (asker, owner) if one is not None}
    if None in known.values():
        raise NotKnownYet(f"addresses for introduction {state.id}")
    for reader, other in ((asker, owner), (owner, asker)):
        found = known.get(other) if other else None
        if found is not None and found.email is not None:
            facts = {"thing": state.thing_title, "name": found.name, "email": found.email, "their_cooperative": None}
            await telling.tell(session, _told("introduction-made", reader, _key(state), facts), now=now)


async def _disclose(session: AsyncSession, introduction_id: UUID, peer_id: str, ours: UUID | None) -> None:
    if ours is None:
        return
    found = await _contact(session, ours)
    if found is None:
        raise NotKnownYet(f"the address for introduction {introduction_id}")
    if found.email is None:  # has left
        return
    said = IntroductionDisclosed(
        introduction_id=introduction_id, peer_id=peer_id, member_id=ours, name=found.name, email=found.email
    )
    await outbox.add(session, said)


async def _contact(session: AsyncSession, member_id: UUID | None) -> sa.Row[Any] | None:
    return (await session.execute(sa.select(contacts).where(contacts.c.member_id == member_id))).one_or_none()


def _told(template: str, reader: UUID | None, key: tuple[UUID, str | None], facts: dict[str, Any]) -> Told:
    """A message to one of the two. `key`: the introduction's id, and the peer whose person asked."""
    introduction_id, peer = key
    message = Message(
        template=template,
        weight=Weight.IMPORTANT,
        about=About(type="introduction", id=str(introduction_id), origin=peer),
        url=f"/introductions/{introduction_id}" + (f"?peer={peer}" if peer else ""),
        facts=facts,
    )
    return Told(message=message, readers=frozenset({reader} if reader else ()))


def _key(state: IntroductionState) -> tuple[UUID, str | None]:
    return state.id, state.asker.peer_id


def _facts(state: IntroductionState) -> dict[str, Any]:
    return {
        "thing": state.thing_title,
        "asker": state.asker.name,
        "asker_cooperative": state.asker.peer_name,
        "message": state.message,
        "quantity": state.quantity,
        "reason": state.reason,
    }

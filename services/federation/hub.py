"""What a hub does beside what every border post does: tell members of each other, pass on what they say unchanged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import MemberTold
from services.chassis.database import Database
from services.federation import boxes, carrying
from services.federation.domain import SPEAKING
from services.federation.gate import Passage, Refused, UnknownKey, authenticate
from services.federation.hub_tables import told_members
from services.federation.keys import Keys
from services.federation.passages import passage_of
from services.federation.saying import say
from services.federation.tables import key_sets, links

TOLD_AT_ONCE = 500


async def tell_members(db: Database) -> None:
    """Say to each member what it was not told of the others: who is there, its newest key set, and that it has left."""
    async with db.reading() as session:
        due = (await session.execute(_untold().limit(TOLD_AT_ONCE))).all()
    for pair in due:
        await db.run(_tell, pair[0], pair[1])


def _untold() -> sa.Select[Any, Any]:
    readers, members = links.alias("readers"), links.alias("members")
    told = sa.and_(told_members.c.link_id == readers.c.id, told_members.c.member == members.c.id)
    fresh = sa.or_(
        told_members.c.member.is_(None), told_members.c.serial < key_sets.c.serial, told_members.c.status == "left"
    )
    here = sa.and_(members.c.status.in_(SPEAKING), key_sets.c.signed.is_not(None), fresh)
    left = sa.and_(members.c.status == "ended", told_members.c.status == "member")
    return (
        sa.select(readers.c.id, members.c.id)
        .join(members, sa.and_(members.c.kind == "member", members.c.id != readers.c.id))
        .join(key_sets, key_sets.c.peer_id == members.c.peer_id)
        .outerjoin(told_members, told)
        .where(readers.c.kind == "member", readers.c.status == "active", sa.or_(here, left))
        .order_by(members.c.status != "ended", readers.c.id, members.c.id)
    )


async def _tell(session: AsyncSession, reader_id: UUID, member_id: UUID) -> None:
    query = sa.select(links).where(links.c.id == reader_id, links.c.status == "active").with_for_update(read=True)
    reader = (await session.execute(query)).mappings().first()
    about = sa.select(links, key_sets.c.serial, key_sets.c.signed).join(key_sets, key_sets.c.peer_id == links.c.peer_id)
    member = (await session.execute(about.where(links.c.id == member_id))).mappings().one()
    if reader is None:
        return
    is_there = member["status"] in SPEAKING
    told = MemberTold(
        member=member_id,
        instance_id=member["peer_id"],
        name=member["peer_name"],
        summary=member["peer_summary"],
        web=member["peer_web"],
        status="member" if is_there else "left",
        key_set=member["signed"] if is_there else "",
    )
    await say(session, reader, told)
    values = {"serial": member["serial"], "status": told.status}
    kept = insert(told_members).values(link_id=reader_id, member=member_id, **values)
    key = [told_members.c.link_id, told_members.c.member]
    await session.execute(kept.on_conflict_do_update(index_elements=key, set_=values))


async def pass_on_public(
    session: AsyncSession, heard_id: UUID, bodies: Sequence[bytes], *, own: Keys, now: datetime
) -> None:
    """What a member says to everybody goes to every other member, byte by byte, if it is really its word."""
    heard = (await session.execute(sa.select(links).where(links.c.id == heard_id))).mappings().one()
    passage = await passage_of(session, heard, us=own.instance_id, now=now)
    genuine = [body.decode("ascii") for body in bodies if _is_genuine(body, passage)]
    others = sa.select(links.c.id).where(
        links.c.kind == "member", links.c.status.in_(SPEAKING), links.c.id != heard["via"]
    )
    for link_id in (await session.execute(others.order_by(links.c.id))).scalars().all():
        await carrying.put_as_it_is(session, link_id, genuine)


def _is_genuine(body: bytes, passage: Passage) -> bool:
    try:
        authenticate(body, passage)
    except (Refused, UnknownKey):
        return False
    return True


async def pass_on_box(session: AsyncSession, body: bytes) -> None:
    """What only one member can read goes to that one. Raises Refused."""
    recipient = boxes.recipient_of(body)
    query = sa.select(links.c.id).where(
        links.c.kind == "member", links.c.peer_id == recipient, links.c.status.in_(SPEAKING)
    )
    link_id = (await session.execute(query)).scalar_one_or_none()
    if link_id is None:
        raise Refused("not_a_member", str(recipient))
    await carrying.put_as_it_is(session, link_id, [body.decode("ascii")])

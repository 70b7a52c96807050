"""What a hub does beside what every border post does: tell members of each other, pass on what they say unchanged."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import compress, groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import MemberTold
from services.chassis.database import Database
from services.federation import boxes, carrying, hub_bounds
from services.federation.domain import SPEAKING
from services.federation.gate import Passage, Refused, UnknownKey, authenticate
from services.federation.hub_tables import told_members
from services.federation.keys import Keys
from services.federation.passages import passage_of
from services.federation.saying import say
from services.federation.settings import Bounds
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


async def tell_again(session: AsyncSession, reader_id: UUID) -> None:
    """The member of this link has forgotten what it was told, or we have: have all of it told, also who has left."""
    again = sa.update(told_members).where(told_members.c.link_id == reader_id)
    await session.execute(again.values(serial=-1, status="member"))


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
    session: AsyncSession, heard_id: UUID, bodies: Sequence[bytes], *, own: Keys, bounds: Bounds, now: datetime
) -> list[tuple[Refused, bytes]]:
    """What a member says to everybody goes to every other member, byte by byte, if it is really its word.

    Returns what does not go on.
    """
    heard = (await session.execute(sa.select(links).where(links.c.id == heard_id))).mappings().one()
    member = await _speaking(session, heard["via"])
    if member is None:
        return []
    passage = await passage_of(session, heard, us=own.instance_id, now=now)
    genuine = [body for body in bodies if _is_genuine(body, passage)]
    others = sa.select(links.c.id).where(
        links.c.kind == "member", links.c.status.in_(SPEAKING), links.c.id != heard["via"]
    )
    readers = set((await session.execute(others)).scalars().all())
    sizes = [len(body) for body in genuine]
    going = await hub_bounds.spend(session, member, sizes, bounds, times=len(readers), now=now)
    full = readers & await hub_bounds.full(session, bounds)
    for link_id in sorted(readers - full):
        await carrying.put_as_it_is(session, link_id, [body.decode("ascii") for body in genuine[:going]])
    await hub_bounds.count_dropped(session, dict.fromkeys(full, going), now=now)
    return [(Refused("too_much", member["peer_name"]), body) for body in genuine[going:]]


def _is_genuine(body: bytes, passage: Passage) -> bool:
    try:
        authenticate(body, passage)
    except (Refused, UnknownKey):
        return False
    return True


async def pass_on_boxes(
    session: AsyncSession, link_id: UUID, bodies: Sequence[bytes], *, bounds: Bounds, now: datetime
) -> list[tuple[Refused, bytes]]:
    """What only one member can read goes to that one. `link_id`: with whom it comes from. Returns what does not."""
    member = await _speaking(session, link_id)
    if member is None:
        return []
    columns = (links.c.peer_id, links.c.id, links.c.peer_name)
    query = sa.select(*columns).where(links.c.kind == "member", links.c.status.in_(SPEAKING))
    members = (await session.execute(query)).all()
    there, names = {row.peer_id: row.id for row in members}, {row.id: row.peer_name for row in members}
    addressed = [(boxes.recipient_of(body) or "", body) for body in bodies]
    refused = [(Refused("not_a_member", to), body) for to, body in addressed if to not in there]
    sent = [(there[to], body) for to, body in addressed if to in there]
    sizes = [(to, len(body)) for to, body in sent]
    within = await hub_bounds.spend_on_each(session, member, sizes, bounds, now=now)
    known = list(compress(sent, within))
    over = [one for one, goes in zip(sent, within, strict=True) if not goes]
    refused += [(Refused("too_much", f"{member['peer_name']} → {names[to]}"), body) for to, body in sorted(over)]
    going = await hub_bounds.spend(session, member, [len(body) for _, body in known], bounds, now=now)
    full = await hub_bounds.full(session, bounds)
    for to, some in groupby(known[:going], key=itemgetter(0)):
        if to not in full:
            await carrying.put_as_it_is(session, to, [body.decode("ascii") for _, body in some])
    await hub_bounds.count_dropped(session, Counter(to for to, _ in known[:going] if to in full), now=now)
    return refused + [(Refused("too_much", member["peer_name"]), body) for _, body in known[going:]]


async def _speaking(session: AsyncSession, link_id: UUID) -> sa.RowMapping | None:
    """Our link with a member, kept from changing."""
    query = sa.select(links).where(links.c.id == link_id, links.c.status.in_(SPEAKING)).with_for_update(read=True)
    return (await session.execute(query)).mappings().first()

"""The cooperatives behind a hub, as it tells us of them: pinned on first sight.

Who a member is says its root key, whose thumbprint is its id; a hub can leave one out, not speak as one.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import MemberTold
from services.federation import linking, saying
from services.federation.documents import KeySet
from services.federation.domain import name_to_compare
from services.federation.gate import Refused
from services.federation.hub_tables import directory
from services.federation.keys import NotGenuine, OutOfDate, read_key_set
from services.federation.tables import LINKS_CHANNEL, links, peer_calls, streams

MEMBERS_AT_MOST = 2000
"""Of one hub: each costs it nothing, and us a row, a key set and a line on a page."""


async def hear(session: AsyncSession, hub: sa.RowMapping, told: MemberTold, *, us: str, now: datetime) -> list[Refused]:
    """Keep what the hub says of a member, unless it contradicts what is pinned. Returns the lies in it."""
    if told.instance_id == us:
        return []
    known = await _pinned(session, hub["id"], told)
    if told.status == "left":
        if known is not None and known["instance_id"] == told.instance_id:
            await _leave(session, hub, known, now=now)
        return []
    if known is not None and known["instance_id"] != told.instance_id:
        return [await _distrust(session, known, told.instance_id, f"{known['name']}: {told.instance_id}")]
    try:
        key_set = read_key_set(told.key_set, told.instance_id, now)
    except OutOfDate as error:
        return [Refused("expired", f"{told.name}: {error}")]
    except NotGenuine as error:
        return [await _distrust(session, known, None, f"{told.name}: {error}")]
    is_one_too_many = known is None and await _count(session, hub["id"]) >= MEMBERS_AT_MOST
    if not is_one_too_many:
        await _pin(session, hub, told, now=now)
        await _keep_keys(session, told, key_set, now=now)
    return [Refused("too_much", told.name)] if is_one_too_many else []


async def _count(session: AsyncSession, hub_link_id: UUID) -> int:
    query = sa.select(sa.func.count()).where(directory.c.hub_link_id == hub_link_id)
    return (await session.execute(query)).scalar_one()


async def _pinned(session: AsyncSession, hub_link_id: UUID, told: MemberTold) -> sa.RowMapping | None:
    """What is pinned under the hub's id of the member, or, where it has given it another, under its own id."""
    mine = directory.c.hub_link_id == hub_link_id
    either = sa.or_(directory.c.member == told.member, directory.c.instance_id == told.instance_id)
    query = sa.select(directory).where(mine, either).order_by(directory.c.member != told.member).with_for_update()
    found = (await session.execute(query)).mappings().all()
    if told.status == "left":
        found = [row for row in found if row["member"] == told.member]
    return found[0] if found else None


async def _distrust(session: AsyncSession, known: sa.RowMapping | None, claimed: str | None, detail: str) -> Refused:
    """Note beside what is pinned that the hub has said something else. What is pinned stays."""
    if known is not None:
        mine = sa.and_(directory.c.hub_link_id == known["hub_link_id"], directory.c.member == known["member"])
        noted = {"doubt": "another_key", "claimed_id": claimed}
        await session.execute(sa.update(directory).where(mine).values(**noted))
    return Refused("another_key", detail)


async def _pin(session: AsyncSession, hub: sa.RowMapping, told: MemberTold, *, now: datetime) -> None:
    values: dict[str, Any] = {"name": told.name[:120] or told.instance_id[:8], "summary": told.summary[:2000]}
    values |= {"web": told.web if told.web.startswith(("http://", "https://")) else "", "member": told.member}
    values |= {"status": "member"}
    doubt = "same_name" if await _is_anothers_name(session, hub["id"], told) else None
    row = {"hub_link_id": hub["id"], "instance_id": told.instance_id, "first_seen_at": now, "doubt": doubt}
    pinned = insert(directory).values(**row, **values)
    values |= {"doubt": sa.case((directory.c.doubt == "another_key", directory.c.doubt), else_=doubt)}
    key = [directory.c.hub_link_id, directory.c.instance_id]
    await session.execute(pinned.on_conflict_do_update(index_elements=key, set_=values))


async def _is_anothers_name(session: AsyncSession, hub_link_id: UUID, told: MemberTold) -> bool:
    """Whether somebody else in the hub, or next to us, bears the name by which a member is told of."""
    others = sa.and_(directory.c.hub_link_id == hub_link_id, directory.c.instance_id != told.instance_id)
    next_to_us = sa.and_(links.c.kind == "direct", links.c.status != "ended", links.c.peer_id != told.instance_id)
    names = sa.union(sa.select(directory.c.name).where(others), sa.select(links.c.peer_name).where(next_to_us))
    name = name_to_compare(told.name[:120])
    return any(name_to_compare(other) == name for other in (await session.execute(names)).scalars())


async def _keep_keys(session: AsyncSession, told: MemberTold, key_set: KeySet, *, now: datetime) -> None:
    """Of a cooperative that is also next to us, its own word counts: it tells from where on a key is revoked."""
    next_to_us = sa.exists().where(
        links.c.peer_id == told.instance_id, links.c.kind == "direct", links.c.status != "ended"
    )
    if not (await session.execute(sa.select(next_to_us))).scalar_one():
        await linking.keep_key_set(session, told.instance_id, key_set, now, signed=told.key_set)


async def _leave(session: AsyncSession, hub: sa.RowMapping, known: sa.RowMapping, *, now: datetime) -> None:
    """The member is no longer there: nothing of it stays with us."""
    mine = sa.and_(directory.c.hub_link_id == hub["id"], directory.c.member == known["member"])
    gone = {"status": "left", "offered_link_id": None}
    await session.execute(sa.update(directory).where(mine).values(**gone))
    link = await link_behind(session, hub["id"], known["instance_id"])
    if link is not None:
        await linking.end(session, link, reason="left_hub", tell=False, now=now)


async def link_behind(session: AsyncSession, hub_link_id: UUID, instance_id: str) -> sa.RowMapping | None:
    """Our link with a member, through that hub, locked; None when there is none, or none any more."""
    query = sa.select(links).where(
        links.c.kind == "behind", links.c.via == hub_link_id, links.c.peer_id == instance_id, links.c.status != "ended"
    )
    return (await session.execute(query.with_for_update())).mappings().first()


async def make_up_for_hub(session: AsyncSession, hub_link_id: UUID, *, now: datetime) -> None:
    """The hub has come back from a backup: what was on its way is lost, and missed once something newer comes."""
    behind = sa.and_(links.c.kind == "behind", links.c.via == hub_link_id)
    through = sa.select(links.c.id).where(links.c.status == "active", sa.or_(behind, links.c.kind == "public"))
    wanted = sa.update(streams).where(streams.c.link_id.in_(through))
    await session.execute(wanted.values(manifest_wanted=True))
    offered = sa.update(peer_calls).where(peer_calls.c.link_id.in_(sa.select(links.c.id).where(behind)))
    await session.execute(offered.values(due_at=now))
    await session.execute(sa.select(sa.func.pg_notify(LINKS_CHANNEL, "")))


async def activate(session: AsyncSession, link: sa.RowMapping, peer_link_id: UUID, *, now: datetime) -> None:
    """Both want it: what we share goes out."""
    values: dict[str, Any] = {"status": "active", "peer_link_id": peer_link_id, "active_since": now}
    await saying.share_everything(session, await linking.change(session, link, **values))

"""What is public is said once, on one stream of its origin that hubs pass on; it is heard beside our link with it.

The stream has a row of its own among the links: `public` is ours, `heard` a peer's, which belongs to our link with it
(`via`). Numbers, log and manifest are those of any link. What a listener lacks, it asks for on that link.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.ids import new_id
from services.federation.domain import RELATIONS, SPEAKING
from services.federation.tables import links

PUBLIC = "public"
"""The audience of what everybody may know."""

_NAMESPACE = UUID("6f1f6f2c-8f0b-4a53-9d55-5a3f0a1c7a10")


def stream_of(instance_id: str) -> UUID:
    """The id of the public stream of an instance: everybody knows it who knows the instance."""
    return uuid5(_NAMESPACE, instance_id)


async def ours(session: AsyncSession) -> sa.RowMapping | None:
    """Our public stream, kept from changing; None while we are in no hub."""
    query = sa.select(links).where(links.c.kind == "public", links.c.status != "ended").with_for_update(read=True)
    return (await session.execute(query)).mappings().first()


async def open_ours(session: AsyncSession, us: str, *, now: datetime) -> sa.RowMapping | None:
    """Begin our public stream; None when there is one. An epoch counts minutes, so that none comes twice."""
    epoch = int(now.timestamp()) // 60
    return await _add(session, kind="public", peer_id=us, peer_link_id=stream_of(us), epoch=epoch, now=now)


async def heard_from(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> sa.RowMapping | None:
    """The public stream of the peer of `link`, made when it is heard for the first time; None once the link has ended.

    The link is kept from ending meanwhile: a stream that nothing ends would stand in the way of the next link's.
    """
    if (known := await heard_on(session, link)) is not None:
        return known
    living = sa.select(links.c.id).where(links.c.id == link["id"], links.c.status != "ended")
    if (await session.execute(living.with_for_update(read=True))).first() is None:
        return None
    origin = link["peer_id"]
    values: dict[str, Any] = {"kind": "heard", "peer_id": origin, "peer_link_id": stream_of(origin), "epoch": 1}
    values |= {"via": link["id"], "peer_name": link["peer_name"], "peer_address": link["peer_address"], "now": now}
    made = await _add(session, **values)
    if made is not None:
        return made
    query = sa.select(links).where(links.c.kind == "heard", links.c.via == link["id"], links.c.status != "ended")
    return (await session.execute(query)).mappings().one()


async def _add(session: AsyncSession, *, now: datetime, **values: Any) -> sa.RowMapping | None:
    nobody = dict.fromkeys(("peer_name", "peer_summary", "peer_web", "peer_address", "begun_by_name"), "")
    nobody |= {"peer_password": "", "inbound_password": ""}
    row = nobody | values | {"id": new_id(), "status": "active", "version": 1, "created_at": now, "active_since": now}
    added = insert(links).values(**row).on_conflict_do_nothing().returning(*links.c)
    return (await session.execute(added)).mappings().first()


async def voice(session: AsyncSession, link: sa.RowMapping) -> sa.RowMapping | None:
    """On which link we speak about `link`: on itself, about a heard stream on that with its origin if it is active."""
    if link["kind"] != "heard":
        return link
    query = sa.select(links).where(links.c.id == link["via"], links.c.status == "active").with_for_update(read=True)
    return (await session.execute(query)).mappings().first()


async def heard_on(session: AsyncSession, link: sa.RowMapping) -> sa.RowMapping | None:
    """The peer's public stream that belongs to `link`, if it was ever heard."""
    query = sa.select(links).where(links.c.kind == "heard", links.c.via == link["id"], links.c.status != "ended")
    return (await session.execute(query)).mappings().first()


async def relation_with(session: AsyncSession, instance_id: str) -> sa.RowMapping | None:
    """Our living link with an instance."""
    query = sa.select(links).where(links.c.peer_id == instance_id, links.c.kind.in_(RELATIONS))
    return (await session.execute(query.where(links.c.status.in_(SPEAKING)))).mappings().first()

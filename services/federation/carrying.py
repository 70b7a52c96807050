"""By which way what we say reaches its peer: its own queue, a box through a hub, or every hub for what is public."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database_listener import waking
from services.chassis.ids import new_id
from services.federation.domain import SPEAKING
from services.federation.tables import BORDER_CHANNEL, border_outbox, key_sets, links, sent_log

Way = dict[str, Any]
"""Columns of the border outbox: by whose queue (`via`), for whom to close the box (`recipient`, `box`)."""

_OWN_QUEUE: Way = {"via": None, "recipient": None, "box": None}


async def ways(session: AsyncSession, link: sa.RowMapping) -> list[Way]:
    """The ways to the peer of `link`; none while a link behind a hub is paused: its log is said again afterwards."""
    if link["kind"] == "public":
        hubs = sa.select(links.c.id).where(links.c.kind == "hub", links.c.status.in_(SPEAKING)).order_by(links.c.id)
        return [_OWN_QUEUE | {"via": hub_id} for hub_id in (await session.execute(hubs)).scalars().all()]
    if link["kind"] != "behind":
        return [_OWN_QUEUE]
    query = sa.select(key_sets.c.box).where(key_sets.c.peer_id == link["peer_id"])
    box = (await session.execute(query)).scalar_one_or_none()
    if link["status"] != "active" or box is None:
        return []
    return [{"via": link["via"], "recipient": link["peer_id"], "box": box}]


async def put(session: AsyncSession, link: sa.RowMapping, content: str, *, event_id: UUID) -> None:
    """Have the border relay sign `content` and send it to the peer of `link` once the transaction commits."""
    rows = [
        {"id": new_id() if number else event_id, "link_id": link["id"], "content": content} | way
        for number, way in enumerate(await ways(session, link))
    ]
    if rows:
        added = sa.insert(border_outbox).values(rows).returning(border_outbox.c.id).cte("added")
        await session.execute(sa.select(waking(BORDER_CHANNEL)).select_from(added))


async def put_as_it_is(session: AsyncSession, link_id: UUID, bodies: list[str], **way: Any) -> None:
    """The same for what is signed already: `bodies` go by the queue of `link_id`, or by `way`."""
    rows = [{"id": new_id(), "link_id": link_id, "content": "", "body": body} | _OWN_QUEUE | way for body in bodies]
    if rows:
        await session.execute(sa.insert(border_outbox).values(rows))
        await session.execute(sa.select(sa.func.pg_notify(BORDER_CHANNEL, "")))


async def put_again(session: AsyncSession, link: sa.RowMapping, logged: sa.ColumnElement[bool]) -> None:
    """What is in the log of sent events where `logged`, to the peer of `link`, under the same numbers."""
    event_id = sa.cast(sent_log.c.content, JSONB)["id"].astext.cast(sa.Uuid)
    for way in await ways(session, link):
        columns = [sa.literal(link["id"]), sent_log.c.content, *(sa.literal(way[name], _TYPES[name]) for name in way)]
        again = sa.select(event_id, *columns).where(logged)
        names = ["id", "link_id", "content", *way]
        await session.execute(insert(border_outbox).from_select(names, again).on_conflict_do_nothing())
    await session.execute(sa.select(sa.func.pg_notify(BORDER_CHANNEL, "")))


_TYPES: dict[str, Any] = {name: border_outbox.c[name].type for name in _OWN_QUEUE}

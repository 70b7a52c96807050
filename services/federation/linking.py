"""Making, pausing and ending links: what our coordinators do. What peers hand in is in `peer_documents`."""

import json
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import LinkChanged, LinkState
from services.chassis import outbox
from services.chassis.ids import new_id
from services.chassis.problems import NotFound
from services.federation import limiting, mending, tables
from services.federation.documents import KeySet, Profile
from services.federation.domain import RELATIONS, AlreadyLinked, Kind, PeerIsBlocked, next_status
from services.federation.hub_tables import directory, public_reads, told_members, traffic, traffic_to
from services.federation.mending_tables import copies, disclosed, erasures, introductions, replays
from services.federation.tables import links

CALL_FOR = timedelta(days=30)
"""How long we try to tell a peer that does not answer."""


async def begin(
    session: AsyncSession,
    peer: Profile,
    *,
    status: Literal["awaiting_confirmation", "to_confirm"],
    by: str,
    now: datetime,
    kind: Kind = "direct",
    via: UUID | None = None,
) -> sa.RowMapping:
    """A new link with `peer`, begun by the coordinator called `by`. Raises AlreadyLinked, PeerIsBlocked.

    `via`: our link with the hub behind which it is.
    """
    if await limiting.is_blocked(session, peer.instance_id):
        raise PeerIsBlocked
    await _give_way(session, peer.instance_id, now)
    before = sa.and_(links.c.peer_id == peer.instance_id, links.c.kind != "heard")
    next_epoch = sa.select(sa.func.coalesce(sa.func.max(links.c.epoch), 0) + 1).where(before)
    statement = insert(links).values(
        id=new_id(),
        peer_id=peer.instance_id,
        peer_name=peer.name,
        peer_summary=peer.summary,
        peer_web=peer.web,
        peer_address=peer.address,
        status=status,
        version=1,
        epoch=next_epoch.scalar_subquery(),
        peer_password=secrets.token_urlsafe(32),
        inbound_password=secrets.token_urlsafe(32),
        created_at=now,
        begun_by_name=by,
        kind=kind,
        via=via,
    )
    made = (await session.execute(statement.on_conflict_do_nothing().returning(*links.c))).mappings().first()
    if made is None:
        raise AlreadyLinked(peer_name=peer.name)
    return made


async def _give_way(session: AsyncSession, peer_id: str, now: datetime) -> None:
    """A link that was only asked for gives way to a new attempt."""
    with_it = sa.and_(links.c.peer_id == peer_id, links.c.kind.in_(RELATIONS), links.c.status != "ended")
    living = (await session.execute(sa.select(links).where(with_it).with_for_update())).mappings().first()
    if living is None:
        return
    if living["status"] not in {"awaiting_confirmation", "to_confirm"}:
        raise AlreadyLinked(peer_name=living["peer_name"])
    await end(session, living, reason=None, tell=False, now=now)


async def get_for_update(session: AsyncSession, link_id: UUID) -> sa.RowMapping:
    """The link, locked. Raises NotFound."""
    row = (await session.execute(sa.select(links).where(links.c.id == link_id).with_for_update())).mappings().first()
    if row is None:
        raise NotFound
    return row


async def change(session: AsyncSession, link: sa.RowMapping, **values: Any) -> sa.RowMapping:
    """Write `values` to the locked `link` and say LinkChanged."""
    statement = sa.update(links).where(links.c.id == link["id"]).values(**values, version=links.c.version + 1)
    changed = (await session.execute(statement.returning(*links.c))).mappings().one()
    await announce(session, changed)
    return changed


async def announce(session: AsyncSession, link: sa.RowMapping) -> None:
    """Tell our services how the link stands, and our own loops to look."""
    state = LinkState(
        link_id=link["id"],
        peer_id=link["peer_id"],
        peer_name=link["peer_name"],
        peer_web=link["peer_web"],
        status=link["status"],
        version=link["version"],
    )
    await outbox.add(session, LinkChanged(link=state))
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))


async def forget_attempt(session: AsyncSession, link_id: UUID) -> None:
    """The peer never heard of this link: nothing of it stays."""
    await session.execute(sa.delete(links).where(links.c.id == link_id, links.c.status == "awaiting_confirmation"))


async def confirm(session: AsyncSession, link_id: UUID, *, by: str, now: datetime) -> None:
    """Our coordinator has compared the thumbprints. Raises NotFound, NotNow."""
    link = await get_for_update(session, link_id)
    changed = await change(session, link, status=next_status(link["status"], "confirm"), confirmed_by_name=by)
    await order(session, changed, "create")
    await call(session, link_id, "confirmed", now)


async def pause(session: AsyncSession, link_id: UUID) -> None:
    """Stop both directions; what we say waits in the peer's queue. Raises NotFound, NotNow."""
    link = await get_for_update(session, link_id)
    await order(session, await change(session, link, status=next_status(link["status"], "pause")), "pause")


async def resume(session: AsyncSession, link_id: UUID) -> None:
    """Go on where the link was paused. Raises NotFound, NotNow."""
    link = await get_for_update(session, link_id)
    resumed = await change(session, link, status=next_status(link["status"], "resume"))
    await order(session, resumed, "create")
    if link["kind"] == "behind":
        await mending.say_unheard_again(session, resumed)


async def end(session: AsyncSession, link: sa.RowMapping, *, reason: str | None, tell: bool, now: datetime) -> None:
    """End the locked `link`, by us (`tell` the peer) or by the peer. Raises NotNow when it has ended.

    Our services drop their copies when they hear it; the broker-agent removes queues, users and shovel.
    """
    status = next_status(link["status"], "end")
    changed = await change(session, link, status=status, ended_at=now, reason=reason, access=None)
    await _forget(session, link["id"])
    await _end_what_hangs_on_it(session, link, now=now)
    for table in (tables.bookings_abroad, tables.guest_bookings, introductions, disclosed):
        await session.execute(sa.delete(table).where(table.c.peer_id == link["peer_id"]))
    if link["status"] in {"opening", "active", "paused"}:
        await order(session, changed, "remove")
    if tell:
        await call(session, link["id"], "ended", now)


async def _forget(session: AsyncSession, link_id: UUID) -> None:
    """All that a link, or a public stream, had."""
    for table in (tables.border_outbox, tables.sent_log, tables.shares, tables.streams, public_reads, told_members):
        await session.execute(sa.delete(table).where(table.c.link_id == link_id))
    for table in (
        tables.positions,
        tables.parked,
        tables.quarantine,
        tables.peer_calls,
        copies,
        erasures,
        traffic,
        replays,
    ):
        await session.execute(sa.delete(table).where(table.c.link_id == link_id))
    either = sa.or_(traffic_to.c.link_id == link_id, traffic_to.c.to_link_id == link_id)
    await session.execute(sa.delete(traffic_to).where(either))


async def _end_what_hangs_on_it(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """The peer's public stream; with a hub, the links behind it and its directory; with the last, our own stream."""
    living = links.c.status != "ended"
    streams = sa.and_(living, links.c.kind == "heard", links.c.via == link["id"])
    if link["kind"] == "hub":
        query = sa.select(links).where(living, links.c.kind == "behind", links.c.via == link["id"]).with_for_update()
        for behind in (await session.execute(query.order_by(links.c.id))).mappings().all():
            await end(session, behind, reason="hub_left", tell=False, now=now)
        await session.execute(sa.delete(directory).where(directory.c.hub_link_id == link["id"]))
        hubs = sa.select(links.c.id).where(living, links.c.kind == "hub")
        if (await session.execute(hubs)).first() is None:
            streams = sa.or_(streams, sa.and_(living, links.c.kind == "public"))
    over = sa.update(links).where(streams).values(status="ended", ended_at=now, version=links.c.version + 1)
    for stream_id in (await session.execute(over.returning(links.c.id))).scalars().all():
        await _forget(session, stream_id)


async def call(session: AsyncSession, link_id: UUID, kind: Literal["confirmed", "ended"], now: datetime) -> None:
    """Have the peer told, now or as soon as it answers."""
    calls = tables.peer_calls
    statement = insert(calls).values(id=new_id(), link_id=link_id, kind=kind, due_at=now, give_up_at=now + CALL_FOR)
    sooner = {"due_at": sa.func.least(calls.c.due_at, statement.excluded.due_at)}
    await session.execute(statement.on_conflict_do_update(index_elements=["link_id", "kind"], set_=sooner))
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))


Command = Literal["create", "pause", "hold", "remove"]
"""`hold`: the peer reads what we say, and nobody reads from it."""


async def order(session: AsyncSession, link: sa.RowMapping, command: Command) -> None:
    """Have the broker-agent do `command` for the link; one behind a hub has nothing at the broker."""
    if link["kind"] == "behind":
        return
    orders = tables.broker_orders
    values = {
        "command": command,
        "peer_password": link["peer_password"],
        "inbound_password": link["inbound_password"],
        "access": link["access"],
    }
    statement = insert(orders).values(link_id=link["id"], generation=1, **values)
    statement = statement.on_conflict_do_update(
        index_elements=[orders.c.link_id], set_={**values, "generation": orders.c.generation + 1, "error": None}
    )
    await session.execute(statement)
    await session.execute(sa.select(sa.func.pg_notify(tables.ORDERS_CHANNEL, "")))


async def keep_key_set(session: AsyncSession, peer_id: str, key_set: KeySet, now: datetime, *, signed: str) -> None:
    """Remember the peer's verified key set, unless we have a newer one. `signed`: as the peer has signed it."""
    table = tables.key_sets
    keys = json.dumps([key.model_dump() for key in key_set.keys])
    values: dict[str, Any] = {"root_x": key_set.root.x, "keys": keys, "serial": key_set.serial}
    values |= {"expires_at": key_set.expires_at, "fetched_at": now, "signed": signed, "box": key_set.box}
    statement = insert(table).values(peer_id=peer_id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.peer_id], set_=values, where=statement.excluded.serial >= table.c.serial
    )
    await session.execute(statement)

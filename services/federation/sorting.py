"""What comes by a link with a hub, or from a member of the hub that we are: whose words they are, and for whom.

Nothing is believed here but where a message came from. Each goes to the gate of the link or stream that it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.federation import boxes, hub, offers, public_stream, receiving
from services.federation.documents import Offer
from services.federation.gate import Refused
from services.federation.hub_tables import directory
from services.federation.keys import Keys, NotGenuine
from services.federation.public_stream import PUBLIC
from services.federation.sealed import TYP, glance
from services.federation.settings import Bounds
from services.federation.tables import links


@dataclass
class Sorted:
    """Messages by what is to be done with them. `by_link`: for the gates, by our id of a link or heard stream.

    `strangers`: members with whom we have no link. `rest`: what came after an offer, which may decide about it.
    """

    rest: Sequence[bytes] = ()
    by_link: dict[UUID, list[bytes]] = field(default_factory=dict[UUID, list[bytes]])
    offers: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    boxes: list[bytes] = field(default_factory=list[bytes])
    refused: list[tuple[Refused, bytes]] = field(default_factory=list[tuple[Refused, bytes]])
    strangers: set[str] = field(default_factory=set[str])

    origins: dict[str, sa.RowMapping | None] = field(default_factory=dict[str, sa.RowMapping | None])

    def add(self, link_id: UUID, body: bytes) -> None:
        self.by_link.setdefault(link_id, []).append(body)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who sorts: our database and keys, what members may have passed on, and when it is (aware UTC)."""

    db: Database
    own: Keys
    now: datetime
    bounds: Bounds


async def take(desk: Desk, link_id: UUID, bodies: Sequence[bytes], *, careful: bool = False) -> None:
    """Do what `bodies` say, in the transactions of their own links. Said again, they do it once. Raises LinkIsGone."""
    db, own, now = desk.db, desk.own, desk.now
    async with db.autocommit() as session:
        query = sa.select(links).where(links.c.id == link_id)
        link = (await session.execute(query)).mappings().first()
    if link is None:
        raise receiving.LinkIsGone
    if link["kind"] not in {"hub", "member"}:
        await db.run(receiving.receive, link_id, list(bodies), own=own, now=now, careful=careful)
        return
    rest = bodies
    while rest:
        found = await db.run(_sort, link, rest, own=own, now=now)
        await _do(desk, link, found, careful=careful)
        rest = found.rest


async def _do(desk: Desk, link: sa.RowMapping, found: Sorted, *, careful: bool) -> None:
    db, own, now = desk.db, desk.own, desk.now
    if found.boxes:
        await db.run(_pass_on_boxes, desk, link["id"], found.boxes)
    if found.refused:
        await db.run(receiving.refuse_all, link["id"], found.refused, own=own, now=now)
    for target, words in found.by_link.items():
        if link["kind"] == "member" and target != link["id"]:
            await db.run(_pass_on_public, desk, link["id"], target, words)
        try:
            by = link["id"]
            await db.run(receiving.receive, target, words, own=own, now=now, careful=careful, handed_by=by)
        except receiving.LinkIsGone:
            if target == link["id"]:
                raise
    for instance_id in sorted(found.strangers):
        await db.run(offers.speaks_on_what_is_over, link, instance_id, now=now)
    for instance_id, body in found.offers:
        await db.run(_take_offer, link, body, instance_id, own=own, now=now)


async def _sort(
    session: AsyncSession, link: sa.RowMapping, bodies: Sequence[bytes], *, own: Keys, now: datetime
) -> Sorted:
    found = Sorted()
    for number, body in enumerate(bodies):
        if found.offers:
            found.rest = bodies[number:]
            break
        recipient = boxes.recipient_of(body)
        if recipient is None:
            await _sort_plain(session, link, body, found, now=now)
        elif link["kind"] == "member":
            found.boxes.append(body)
        elif recipient != own.instance_id:
            found.refused.append((Refused("wrong_audience", recipient), body))
        else:
            await _sort_boxed(session, link, body, found, own=own)
    return found


async def _sort_plain(session: AsyncSession, link: sa.RowMapping, body: bytes, found: Sorted, *, now: datetime) -> None:
    """The word of the hub or member itself, or of a member to everybody."""
    seen = glance(body)
    foreign = seen is not None and link["kind"] == "member" and seen.source != link["peer_id"]
    if seen is None or seen.typ != TYP or seen.audience != PUBLIC or seen.source is None or foreign:
        found.add(link["id"], body)
        return
    origin = await _origin(session, seen.source, found)
    if origin is None or origin["status"] != "active":
        return
    heard = await public_stream.heard_from(session, origin, now=now)
    if heard is not None:
        found.add(heard["id"], body)


async def _sort_boxed(session: AsyncSession, link: sa.RowMapping, body: bytes, found: Sorted, *, own: Keys) -> None:
    """What a member says to us alone, or to all and to us again."""
    try:
        inside = boxes.opened(body, own)
    except NotGenuine as error:
        found.refused.append((Refused("unreadable", str(error)), body))
        return
    seen = glance(inside)
    if seen is not None and seen.typ == Offer.typ:
        found.offers.append((seen.kid, inside))
        return
    source = seen.source if seen is not None and seen.typ == TYP else None
    origin = await _origin(session, source, found)
    if origin is None:
        if source is not None and await _is_member(session, link["id"], source):
            found.strangers.add(source)
        else:
            found.refused.append((Refused("not_a_member", source or ""), inside))
        return
    if origin["status"] != "active":
        return  # its log still has it, when we go on
    if seen is not None and seen.audience == PUBLIC:
        heard = await public_stream.heard_on(session, origin)
        if heard is not None:
            found.add(heard["id"], inside)
    elif origin["via"] == link["id"]:
        found.add(origin["id"], inside)
    else:
        found.refused.append((Refused("wrong_source", source or ""), inside))


async def _origin(session: AsyncSession, source: str | None, found: Sorted) -> sa.RowMapping | None:
    """Our living link with the instance that a message names."""
    if source is None:
        return None
    if source not in found.origins:
        found.origins[source] = await public_stream.relation_with(session, source)
    return found.origins[source]


async def _is_member(session: AsyncSession, hub_link_id: UUID, instance_id: str) -> bool:
    mine = sa.and_(directory.c.hub_link_id == hub_link_id, directory.c.instance_id == instance_id)
    return (await session.execute(sa.select(sa.exists().where(mine)))).scalar_one()


async def _pass_on_boxes(session: AsyncSession, desk: Desk, link_id: UUID, bodies: Sequence[bytes]) -> None:
    refused = await hub.pass_on_boxes(session, link_id, bodies, bounds=desk.bounds, now=desk.now)
    await receiving.refuse_all(session, link_id, refused, own=desk.own, now=desk.now)


async def _pass_on_public(
    session: AsyncSession, desk: Desk, link_id: UUID, heard_id: UUID, bodies: Sequence[bytes]
) -> None:
    refused = await hub.pass_on_public(session, heard_id, bodies, own=desk.own, bounds=desk.bounds, now=desk.now)
    await receiving.refuse_all(session, link_id, refused, own=desk.own, now=desk.now)


async def _take_offer(
    session: AsyncSession, link: sa.RowMapping, body: bytes, instance_id: str, *, own: Keys, now: datetime
) -> None:
    try:
        await offers.take(session, link, body, instance_id, own, now=now)
    except Refused as refusal:
        await receiving.refuse(session, link["id"], refusal, body, own=own, now=now)

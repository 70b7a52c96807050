"""What comes from a peer: through the gate, in its order, and on to our services, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.ids import new_id
from services.federation import refusing, tables
from services.federation.domain import LISTENING
from services.federation.gate import Passage, Refused, UnknownKey, authenticate
from services.federation.keys import Keys
from services.federation.link_words import Hearing
from services.federation.passages import passage_of
from services.federation.sealed import Sealed
from services.federation.stream import RECEIVED, Stream
from services.federation.tables import links

QUARANTINED_AT_MOST, QUARANTINED_OCTETS_AT_MOST = 5000, 64_000_000
"""Of one link, or of all that came through one hub: what is refused beyond it, is asked for again."""


class LinkIsGone(Exception):
    """The link has ended: what still comes of it is dropped."""


async def receive(
    session: AsyncSession,
    link_id: UUID,
    bodies: list[bytes],
    *,
    own: Keys,
    now: datetime,
    careful: bool = False,
    handed_by: UUID | None = None,
) -> None:
    """Do what the messages of one link say, in their order. `own`: our keys; `now`: aware UTC.

    `careful`: a message that our own database refuses is set aside instead of failing them all (slower).
    `handed_by`: our link with the hub that they came through; what the peer has not said, or not now, is its doing.
    Whatever a peer sends, this returns: what does not pass is kept with its reason. Raises LinkIsGone.
    """
    at = await _hearing(session, link_id, own=own, now=now)
    passage = await passage_of(session, at.link, us=own.instance_id, now=now)
    stream = await Stream.open(at, careful=careful)
    read = [(_read(body, passage), body) for body in bodies]
    stream.expect([found for found, _ in read if isinstance(found, Sealed)])
    through_hub = handed_by is not None and handed_by != at.relation["id"]
    strange: list[tuple[Refused, bytes]] = []
    for found, body in read:
        refusal = await _take(stream, found, body, handed_by)
        if refusal is not None and through_hub:
            strange.append((refusal, body))
        elif refusal is not None:
            await stream.refuse(refusal, body, seq=None)
    await stream.save()
    if handed_by is not None and through_hub:
        for refusal, body in strange:
            await refusing.count(session, handed_by, refusal, body, in_the_name_of=at.link, now=now)


async def _take(
    stream: Stream, found: Sealed | Refused | UnknownKey, body: bytes, handed_by: UUID | None
) -> Refused | None:
    """Do what a message says, or keep it until its key is known. Returns why neither was possible."""
    try:
        await stream.take(found, body)
    except UnknownKey as error:
        if not await _quarantine(stream, body, handed_by):
            return Refused("unknown_key", f"{error}, and too many wait")
    except Refused as refusal:
        return refusal
    return None


def _read(body: bytes, passage: Passage) -> Sealed | Refused | UnknownKey:
    """What passes the first part of the gate, or why it does not."""
    try:
        return authenticate(body, passage)
    except (Refused, UnknownKey) as error:
        return error


async def give_up(
    session: AsyncSession, link_id: UUID, body: bytes, error: Exception, *, own: Keys, now: datetime
) -> None:
    """Keep `body` with the reason, when not even its place in the stream can be told. Raises LinkIsGone."""
    await refuse(session, link_id, Refused("not_applied", repr(error)), body, own=own, now=now)


async def refuse(
    session: AsyncSession, link_id: UUID, refusal: Refused, body: bytes, *, own: Keys, now: datetime
) -> None:
    """Keep what came by a link and cannot be anything that it says. Raises LinkIsGone."""
    await refuse_all(session, link_id, [(refusal, body)], own=own, now=now)


async def refuse_all(
    session: AsyncSession, link_id: UUID, refused: Sequence[tuple[Refused, bytes]], *, own: Keys, now: datetime
) -> None:
    """The same for several; of many that are only too many, one is kept. Raises LinkIsGone."""
    if not refused:
        return
    stream = await Stream.open(await _hearing(session, link_id, own=own, now=now), careful=True)
    too_many = Counter((one.reason, one.detail) for one, _ in refused if one.reason == "too_much")
    for refusal, body in refused:
        times = too_many.pop((refusal.reason, refusal.detail), 0) if refusal.reason == "too_much" else 1
        if times:
            await stream.refuse(refusal, body, seq=None, times=times)
    await stream.save()


async def _hearing(session: AsyncSession, link_id: UUID, *, own: Keys, now: datetime) -> Hearing:
    """The link, and for what a peer says to everybody also our link with it: kept from changing."""
    stream = links.alias("stream")
    via = sa.select(stream.c.via).where(stream.c.id == link_id, stream.c.kind == "heard").scalar_subquery()
    # before the stream that ends with it
    relation = await _listening(session, links.c.id == sa.func.coalesce(via, sa.literal(link_id, sa.Uuid)))
    link = relation if relation["id"] == link_id else await _listening(session, links.c.id == link_id)
    return Hearing(session=session, link=link, relation=relation, own=own, now=now)


async def _listening(session: AsyncSession, which: sa.ColumnElement[bool]) -> sa.RowMapping:
    query = sa.select(links).where(which).with_for_update(read=True, of=links)
    link = (await session.execute(query)).mappings().first()
    if link is None or link["status"] not in LISTENING or link["peer_link_id"] is None:
        raise LinkIsGone
    return link


async def _quarantine(stream: Stream, body: bytes, handed_by: UUID | None) -> bool:
    """Keep a message whose key we do not know until the key set was fetched again; False when too many wait."""
    table = tables.quarantine
    alike = table.c.link_id == stream.link_id if handed_by is None else table.c.handed_by == handed_by
    size = sa.func.coalesce(sa.func.sum(sa.func.pg_column_size(table.c.body)), 0)
    count, octets = (await stream.session.execute(sa.select(sa.func.count(), size).where(alike))).one()
    if count >= QUARANTINED_AT_MOST or octets >= QUARANTINED_OCTETS_AT_MOST:
        return False
    row = {"id": new_id(), "link_id": stream.link_id, "body": body.decode("ascii"), "at": stream.now}
    await stream.session.execute(sa.insert(table).values(**row, handed_by=handed_by))
    await stream.session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))
    RECEIVED.labels("quarantined").inc()
    return True

"""What comes from a peer: through the gate, in its order, and on to our services, in one transaction."""

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

QUARANTINED_AT_MOST = 5000


class LinkIsGone(Exception):
    """The link has ended: what still comes of it is dropped."""


async def receive(
    session: AsyncSession, link_id: UUID, bodies: list[bytes], *, own: Keys, now: datetime, careful: bool = False
) -> None:
    """Do what the messages of one link say, in their order. `own`: our keys; `now`: aware UTC.

    `careful`: a message that our own database refuses is set aside instead of failing them all (slower).
    Whatever a peer sends, this returns: what does not pass is kept with its reason. Raises LinkIsGone.
    """
    at = await _hearing(session, link_id, own=own, now=now)
    passage = await passage_of(session, at.link, us=own.instance_id, now=now)
    stream = await Stream.open(at, careful=careful)
    read = [(_read(body, passage), body) for body in bodies]
    await stream.expect([found for found, _ in read if isinstance(found, Sealed)])
    for found, body in read:
        try:
            await stream.take(found, body)
        except UnknownKey as error:
            await _quarantine(stream, at.link, body, str(error))
        except Refused as refusal:
            await stream.refuse(refusal, body, seq=None)
    await stream.save()


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
    """The same for several. Raises LinkIsGone."""
    if not refused:
        return
    stream = await Stream.open(await _hearing(session, link_id, own=own, now=now), careful=True)
    for refusal, body in refused:
        await stream.refuse(refusal, body, seq=None)
    await stream.save()


async def _hearing(session: AsyncSession, link_id: UUID, *, own: Keys, now: datetime) -> Hearing:
    """The link, and for what a peer says to everybody also our link with it: kept from changing."""
    query = sa.select(links.c.via).where(links.c.id == link_id, links.c.kind == "heard")
    via = (await session.execute(query)).scalar_one_or_none()
    relation = await _listening(session, via or link_id)  # before the stream that ends with it
    link = await _listening(session, link_id) if via else relation
    return Hearing(session=session, link=link, relation=relation, own=own, now=now)


async def _listening(session: AsyncSession, link_id: UUID) -> sa.RowMapping:
    query = sa.select(links).where(links.c.id == link_id).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is None or link["status"] not in LISTENING or link["peer_link_id"] is None:
        raise LinkIsGone
    return link


async def _quarantine(stream: Stream, link: sa.RowMapping, body: bytes, kid: str) -> None:
    """Keep a message whose key we do not know until the key set was fetched again."""
    table = tables.quarantine
    count = sa.select(sa.func.count()).where(table.c.link_id == stream.link_id)
    if (await stream.session.execute(count)).scalar_one() >= QUARANTINED_AT_MOST:
        refusal = Refused("unknown_key", f"{kid}, and too many wait")
        if link["kind"] in {"behind", "heard"}:
            await refusing.count(stream.session, link, refusal, body, now=stream.now)
        else:
            await stream.refuse(refusal, body, seq=None)
        return
    row = {"id": new_id(), "link_id": stream.link_id, "body": body.decode("ascii"), "at": stream.now}
    await stream.session.execute(sa.insert(table).values(**row))
    await stream.session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))
    RECEIVED.labels("quarantined").inc()

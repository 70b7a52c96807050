"""A member has left: every peer that knows a pseudonym of theirs forgets it, and acknowledges that by its receipt."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import PersonForgotten
from contracts.link import PersonErased
from services.chassis import outbox
from services.federation import scrubbing
from services.federation.domain import PEERS, SPEAKING
from services.federation.mending_tables import disclosed, erasures
from services.federation.saying import say
from services.federation.tables import bookings_abroad, guest_bookings, links, pseudonyms, streams


async def erase(session: AsyncSession, member_id: UUID) -> None:
    """Tell the peers, and forget here who was behind the pseudonyms, and what we said of them."""
    gone = sa.delete(pseudonyms).where(pseudonyms.c.member_id == member_id)
    rows = (await session.execute(gone.returning(pseudonyms.c.peer_id, pseudonyms.c.pseudonym))).all()
    for row in rows:
        bookings = await _bookings_known_to(session, row.peer_id, member_id, row.pseudonym)
        await scrubbing.take_out(session, [row.pseudonym, *map(str, bookings)])
        await scrubbing.forget_answers(session, bookings)
        query = sa.select(links).where(
            links.c.peer_id == row.peer_id, links.c.status.in_(SPEAKING), links.c.kind.in_(PEERS)
        )
        link = (await session.execute(query.with_for_update(read=True))).mappings().first()
        if link is not None:
            await _tell(session, link, row.pseudonym, bookings)
    await session.execute(sa.delete(disclosed).where(disclosed.c.member_id == member_id))


async def disclose(session: AsyncSession, member_id: UUID, peer_id: str, booking_id: UUID) -> None:
    """The peer is told name and address of our member for this booking: remember what to take back."""
    row = {"peer_id": peer_id, "booking_id": booking_id, "member_id": member_id}
    await session.execute(insert(disclosed).values(row).on_conflict_do_nothing())


async def forget_theirs(session: AsyncSession, link: sa.RowMapping, said: PersonErased) -> None:
    """A peer's person has left: forget what we keep of them here, and have all services do so."""
    theirs = [guest_bookings.c.peer_id == link["peer_id"], bookings_abroad.c.peer_id == link["peer_id"]]
    named = [
        sa.or_(guest_bookings.c.booking_id.in_(said.booking_ids), guest_bookings.c.pseudonym == said.pseudonym),
        bookings_abroad.c.booking_id.in_(said.booking_ids),
    ]
    known = [
        sa.select(table.c.booking_id).where(of_peer, which)
        for table, of_peer, which in zip((guest_bookings, bookings_abroad), theirs, named, strict=True)
    ]
    bookings = (await session.execute(sa.union(*known))).scalars().all()
    await scrubbing.forget_answers(session, bookings)
    await scrubbing.forget_promises(session, bookings)
    gone = PersonForgotten(
        origin=link["peer_id"], origin_name=link["peer_name"], pseudonym=said.pseudonym, booking_ids=tuple(bookings)
    )
    await outbox.add(session, gone)


async def tell_again(session: AsyncSession, link: sa.RowMapping) -> None:
    """In a new epoch: what the peer has not acknowledged in the last one."""
    waiting = sa.select(erasures).where(erasures.c.link_id == link["id"], erasures.c.acked_at.is_(None))
    for row in (await session.execute(waiting)).mappings().all():
        await _tell(session, link, row["pseudonym"], row["booking_ids"])


async def _bookings_known_to(session: AsyncSession, peer_id: str, member_id: UUID, pseudonym: str) -> Sequence[UUID]:
    """Bookings that the peer asked of them, or they of the peer."""
    given = sa.select(disclosed.c.booking_id).where(disclosed.c.peer_id == peer_id, disclosed.c.member_id == member_id)
    request: sa.ColumnElement[Any] = sa.cast(bookings_abroad.c.request, JSONB)
    asked = sa.select(bookings_abroad.c.booking_id).where(
        bookings_abroad.c.peer_id == peer_id,
        sa.func.jsonb_extract_path_text(request, "data", "pseudonym") == pseudonym,
    )
    return (await session.execute(sa.union(given, asked))).scalars().all()


async def _tell(session: AsyncSession, link: sa.RowMapping, pseudonym: str, bookings: Sequence[UUID]) -> None:
    seq = await say(session, link, PersonErased(pseudonym=pseudonym, booking_ids=tuple(bookings)))
    epoch = (await session.execute(sa.select(streams.c.epoch).where(streams.c.link_id == link["id"]))).scalar_one()
    values = {"epoch": epoch, "seq": seq, "said_at": datetime.now(UTC), "acked_at": None, "booking_ids": list(bookings)}
    kept = insert(erasures).values(link_id=link["id"], pseudonym=pseudonym, **values)
    key = [erasures.c.link_id, erasures.c.pseudonym]
    await session.execute(kept.on_conflict_do_update(index_elements=key, set_=values))

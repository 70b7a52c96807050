"""What our members have asked of a peer and it has not answered, said again to a peer that was restored from a backup.

It may have forgotten that it was asked, or what it answered was lost with its broker. Everything is counted by whoever
asks: what it does know, it answers with how the booking stands.
"""

import json
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
)
from services.federation.domain import OPEN_ANSWERS
from services.federation.saying import say
from services.federation.sealed import Content, claim_of
from services.federation.tables import bookings_abroad, sent_log

ASKED_AT_MOST = 1000
"""Bookings: as many as are handed back."""

Wish = BorderBookingWithdrawn | BorderChangeRequested | BorderChangeWithdrawn | BorderChangeAnswered
_WISHES: dict[str, type[Wish]] = {
    kind.type: kind
    for kind in (BorderBookingWithdrawn, BorderChangeRequested, BorderChangeWithdrawn, BorderChangeAnswered)
}


def answer_in(decision: str | None) -> BorderBookingAnswered | None:
    """What a peer has signed about a booking, as we have kept it."""
    claim = claim_of(decision.encode()) if decision else None
    return BorderBookingAnswered.model_validate(json.loads(claim[1].payload or b"")["data"]) if claim else None


async def ask_again(session: AsyncSession, link: sa.RowMapping) -> None:
    """Requests without an answer, and the last wish for each open booking that its peer has not decided yet."""
    columns = (bookings_abroad.c.booking_id, bookings_abroad.c.request, bookings_abroad.c.decision)
    query = sa.select(*columns).where(
        bookings_abroad.c.peer_id == link["peer_id"],
        bookings_abroad.c.request.is_not(None),
        bookings_abroad.c.status.in_(("", *OPEN_ANSWERS)),
        sa.not_(bookings_abroad.c.unclaimed),
    )
    rows = (await session.execute(query.order_by(bookings_abroad.c.booking_id).limit(ASKED_AT_MOST))).all()
    for row in rows:
        if row.decision is None:
            await say(
                session, link, BorderBookingRequested.model_validate(Content.model_validate_json(row.request).data)
            )
    answers = {row.booking_id: answer_in(row.decision) for row in rows}
    if not answers:
        return
    for wish in await _wishes(session, link["id"], answers):
        if waits(wish, answers[wish.booking_id]):
            await say(session, link, wish)


async def _wishes(session: AsyncSession, link_id: UUID, booking_ids: Iterable[UUID]) -> list[Wish]:
    """The last of what was asked about each booking, that it be called off apart: nothing keeps it here but the log."""
    one_of_them = sa.or_(*(sent_log.c.content.contains(kind) for kind in _WISHES))
    said = sa.select(sent_log.c.content).where(sent_log.c.link_id == link_id, one_of_them)
    wanted = set(booking_ids)
    latest: dict[tuple[UUID, bool], Wish] = {}
    for content in (await session.execute(said.order_by(sent_log.c.epoch, sent_log.c.seq))).scalars():
        read = Content.model_validate_json(content)
        kind = _WISHES.get(read.type)
        if kind is None:
            continue
        wish = kind.model_validate(read.data)
        if wish.booking_id in wanted:
            latest[wish.booking_id, isinstance(wish, BorderBookingWithdrawn)] = wish
    return list(latest.values())


def waits(wish: Wish, answer: BorderBookingAnswered | None) -> bool:
    """Whether the peer has not decided it, as far as its last answer says."""
    if isinstance(wish, BorderChangeAnswered):
        return answer is not None and answer.proposal is not None and answer.proposal.number == wish.number
    if answer is None:
        return True
    heard = answer.withdrawals_heard if isinstance(wish, BorderBookingWithdrawn) else answer.change_decided
    return wish.number > heard or wish.number == 0

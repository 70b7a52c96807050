"""Bookings that our members had made at a peer before a restore, of people whom we do not know any more.

Their pseudonyms were made after the backup. Nothing would end these bookings here: coordinators may call them off.
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import BorderBookingRequested, BorderBookingWithdrawn
from services.federation.asking_again import answer_in
from services.federation.domain import OPEN_ANSWERS, SPEAKING, NotNow
from services.federation.saying import say
from services.federation.sealed import Content
from services.federation.tables import bookings_abroad, links
from services.federation.views import UnclaimedView

_CALLED_OFF = "Après le rétablissement d'une sauvegarde, la coopérative ne sait plus qui avait réservé."
_OPEN = bookings_abroad.c.status.in_(("", *OPEN_ANSWERS))


async def listed(session: AsyncSession, link_id: UUID) -> list[UnclaimedView]:
    """Those that stand at the peer of a link, the earliest first."""
    query = sa.select(bookings_abroad.c.request, bookings_abroad.c.decision).where(
        bookings_abroad.c.unclaimed,
        _OPEN,
        bookings_abroad.c.peer_id == sa.select(links.c.peer_id).where(links.c.id == link_id).scalar_subquery(),
    )
    rows = (await session.execute(query)).all()
    return sorted((_view(row.request, row.decision) for row in rows), key=lambda one: one.start)


async def call_off(session: AsyncSession, link: sa.RowMapping, booking_ids: Collection[UUID]) -> None:
    """Ask the peer to end these, which its rules decide. What is not one of them is left alone. Raises NotNow."""
    if link["status"] not in SPEAKING:
        raise NotNow
    query = sa.select(bookings_abroad.c.booking_id).where(
        bookings_abroad.c.unclaimed,
        _OPEN,
        bookings_abroad.c.peer_id == link["peer_id"],
        bookings_abroad.c.booking_id.in_(booking_ids),
    )
    for booking_id in (await session.execute(query.order_by(bookings_abroad.c.booking_id))).scalars().all():
        # not counted: how often they had been withdrawn before is forgotten, too
        await say(session, link, BorderBookingWithdrawn(booking_id=booking_id, reason=_CALLED_OFF))


def _view(request: str, decision: str | None) -> UnclaimedView:
    """As it was asked for, unless the peer has said since that it stands otherwise."""
    asked = BorderBookingRequested.model_validate(Content.model_validate_json(request).data)
    answer = answer_in(decision)
    return UnclaimedView(
        booking_id=asked.booking_id,
        offer_id=asked.offer_id,
        start=answer.start if answer else asked.start,
        end=answer.end if answer else asked.end,
        quantity=(answer.quantity if answer else None) or asked.quantity,
        confirmed=answer is not None and answer.status == "confirmed",
    )

"""Waiting lists: a place has become free for somebody, or has gone on."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import WaitingState
from services.notify.commands import telling
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import bookings

PLACE_OFFERED = "place-offered"


async def place_offered(session: AsyncSession, waiting: WaitingState, *, now: datetime) -> None:
    """Ask the member whether the place is taken; nobody is asked once the time to accept is over."""
    in_time = waiting.accept_by is None or now < waiting.accept_by
    if await _is_news(session, waiting) and in_time:
        await _tell(session, PLACE_OFFERED, Weight.IMPORTANT, waiting, now=now)


async def waiting_changed(session: AsyncSession, waiting: WaitingState, *, now: datetime) -> None:
    """What was asked is answered, by the member or by the clock; the latter is told."""
    if not await _is_news(session, waiting):
        return
    await telling.no_longer_ask(session, str(waiting.id), PLACE_OFFERED, now=now)
    if waiting.status == "lapsed":
        await _tell(session, "place-lapsed", Weight.IMPORTANT, waiting, now=now)
    elif waiting.status == "ended":
        await _tell(session, "waiting-ended", Weight.QUIET, waiting, now=now)


async def _tell(session: AsyncSession, template: str, weight: Weight, waiting: WaitingState, *, now: datetime) -> None:
    offered = template == PLACE_OFFERED
    message = Message(
        template=template,
        weight=weight,
        about=About(type="waiting", id=str(waiting.id)),
        url=f"/waiting/{waiting.id}" if offered else "/bookings#waiting",
        facts=_facts(waiting),
    )
    await telling.tell(session, Told(message=message, readers=frozenset({waiting.member_id})), now=now)


def _facts(waiting: WaitingState) -> dict[str, Any]:
    """`decide_by`: until when the place can be accepted."""
    return {
        "offer": waiting.offer_title,
        "start": waiting.start.isoformat(),
        "end": waiting.end.isoformat(),
        "time_zone": waiting.time_zone,
        "quantity": waiting.quantity,
        "decide_by": waiting.accept_by.isoformat() if waiting.accept_by else None,
    }


async def _is_news(session: AsyncSession, waiting: WaitingState) -> bool:
    """Whether nothing newer was told of this wish (kept beside the bookings: the newest version of each)."""
    new = insert(bookings).values(
        id=waiting.id,
        borrower_peer="",
        borrower_id=waiting.member_id,
        owner_id=None,
        resource_origin=None,
        offer_title=waiting.offer_title,
        was_confirmed=False,
        version=waiting.version,
        ends_at=waiting.end,
    )
    newest = new.on_conflict_do_update(
        index_elements=["id", "borrower_peer"],
        set_={"version": new.excluded.version, "ends_at": sa.func.greatest(bookings.c.ends_at, new.excluded.ends_at)},
        where=bookings.c.version < new.excluded.version,
    ).returning(bookings.c.id)
    return (await session.execute(newest)).first() is not None

"""What was refused at the border, kept for coordinators, bounded, so that a flood fills neither disk nor inbox."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import MessageRefused
from services.chassis import logs, outbox
from services.chassis.ids import new_id
from services.federation.domain import LISTENING
from services.federation.gate import Refused
from services.federation.tables import links, positions, refusals

KEPT_PER_LINK = 500
LONGEST_KEPT = 4096

_log = logs.get(__name__)


async def keep(
    session: AsyncSession,
    link_id: UUID,
    refusal: Refused,
    body: bytes,
    *,
    seq: int | None,
    total: int,
    now: datetime,
    times: int = 1,
) -> None:
    """Keep the first 4 KiB of `body` with the reason. Coordinators are told at the 1st, 2nd, 4th, 8th … refusal.

    `total`: how many there are with it; `times`: as how many of them it counts.
    """
    text = body[:LONGEST_KEPT].decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    row = {"id": new_id(), "link_id": link_id, "at": now, "reason": refusal.reason, "detail": _clean(refusal.detail)}
    await session.execute(sa.insert(refusals).values(**row, seq=seq, body=text))
    newest = (
        sa.select(refusals.c.id)
        .where(refusals.c.link_id == link_id)
        .order_by(refusals.c.id.desc())
        .limit(KEPT_PER_LINK)
    )
    if total > KEPT_PER_LINK:
        await session.execute(
            sa.delete(refusals).where(refusals.c.link_id == link_id, refusals.c.id.not_in(newest.scalar_subquery()))
        )
    if total.bit_length() > (total - times).bit_length():
        await outbox.add(session, MessageRefused(link_id=link_id, reason=refusal.reason, count=total))
    _log.warning("message-refused", link=str(link_id), reason=refusal.reason, detail=refusal.detail, count=total)


async def count(
    session: AsyncSession,
    link_id: UUID,
    refusal: Refused,
    body: bytes,
    *,
    in_the_name_of: sa.RowMapping,
    now: datetime,
) -> None:
    """Keep and count what is nobody's word whom we know, against whoever has handed it to us on the link `link_id`.

    Behind a hub that is the hub: anybody there can close a box, or repeat one, whatever name is inside.
    """
    query = sa.select(links.c.id).where(links.c.id == link_id, links.c.status.in_(LISTENING))
    if (await session.execute(query.with_for_update(read=True))).first() is None:
        return
    fresh = insert(positions).values(link_id=link_id, epoch=1, applied_to=0)
    await session.execute(fresh.on_conflict_do_nothing())
    counted = sa.update(positions).where(positions.c.link_id == link_id).values(refused=positions.c.refused + 1)
    total = (await session.execute(counted.returning(positions.c.refused))).scalar_one()
    named = Refused(refusal.reason, f"{in_the_name_of['peer_name']}: {refusal.detail}")
    await keep(session, link_id, named, body, seq=None, total=total, now=now)


def _clean(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)

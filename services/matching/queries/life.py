"""What came of the matches of a need: who was asked, what was promised, whether it was widened."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionParty
from services.matching.member_tables import widenings
from services.matching.queries import introductions
from services.matching.tables import OURS
from services.matching.views import IntroductionLink, MatchesView, PromiseView, WideningView

Row = sa.RowMapping


async def complete(session: AsyncSession, view: MatchesView) -> MatchesView:
    """The view with all of that."""
    asked = await introductions.of_need(session, view.need_id)
    for one in [*view.items, *view.near_misses]:
        row = asked.get((one.origin or OURS, one.id))
        one.introduction = IntroductionLink(id=row["id"], status=row["status"]) if row else None
    view.promised = [_promise(row, view.need_id) for row in await introductions.promised(session, view.need_id)]
    view.widening = await widening_of(session, view.need_id)
    return view


async def widening_of(session: AsyncSession, need_id: UUID) -> WideningView | None:
    """What the author was asked when nobody had answered."""
    row = (await session.execute(sa.select(widenings).where(widenings.c.need_id == need_id))).mappings().one_or_none()
    return None if row is None else WideningView.model_validate(dict(row))


async def widened_km(session: AsyncSession, need_id: UUID) -> float:
    """How far the offers for a need may be because its author said so; 0 where nothing was said."""
    said = sa.select(widenings.c.radius_km).where(widenings.c.need_id == need_id, widenings.c.widened)
    return (await session.execute(said)).scalar() or 0.0


def _promise(row: Row, need_id: UUID) -> PromiseView:
    """By whoever came to help, or by whoever answers for the offer that was asked for."""
    if row["thing_id"] == need_id:
        by = IntroductionParty(
            member_id=row["asker_id"],
            name=row["asker_name"],
            peer_id=row["asker_peer"] or None,
            peer_name=row["asker_peer_name"],
        )
    else:
        by = IntroductionParty(
            member_id=row["owner_id"],
            name=row["owner_name"],
            peer_id=row["origin"] or None,
            peer_name=row["origin_name"],
        )
    return PromiseView(id=row["id"], peer=row["asker_peer"] or None, quantity=row["quantity"], by=by)

"""What came of the matches of a need: who was asked, what was promised, whether it was widened."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionParty
from services.chassis.auth import Actor
from services.chassis.problems import NotFound
from services.matching import audience
from services.matching.member_tables import introductions, widenings
from services.matching.queries.introductions import of_need, promised
from services.matching.tables import OURS, proposals, things
from services.matching.views import IntroductionLink, MatchesView, PledgesView, PromiseView, WideningView

Row = sa.RowMapping


async def complete(session: AsyncSession, view: MatchesView) -> MatchesView:
    """The view with all of that."""
    asked = await of_need(session, view.need_id)
    for one in [*view.items, *view.near_misses]:
        row = asked.get((one.origin or OURS, one.id))
        one.introduction = IntroductionLink(id=row["id"], status=row["status"]) if row else None
    view.promised = [_promise(row, view.need_id) for row in await promised(session, view.need_id)]
    view.widening = await widening_of(session, view.need_id)
    return view


async def pledges_of(session: AsyncSession, need_id: UUID, *, actor: Actor, now: datetime) -> PledgesView:
    """How much was promised, for whoever may see the need: everybody sees what is missing. Raises NotFound."""
    need = sa.select(things.c.quantity, things.c.unit).where(
        things.c.origin == OURS, things.c.id == need_id, things.c.side == "need", audience.visible_to(actor.id, now)
    )
    wanted = (await session.execute(need)).one_or_none()
    if wanted is None:
        raise NotFound
    rows = await promised(session, need_id)
    total = sum(row["quantity"] for row in rows)
    return PledgesView(
        wanted=wanted.quantity,
        unit=wanted.unit,
        promised=total,
        received=sum(row["quantity"] for row in rows if row["received_at"] is not None),
        missing=max(wanted.quantity - total, 0),
        people=len(rows),
    )


def is_answered(need_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """Whether the author of a need has asked somebody, or somebody came to help."""
    asked = sa.exists().where(proposals.c.need_id == need_id, proposals.c.status.in_(["contacted", "accepted"]))
    reached = sa.exists().where(introductions.c.origin == OURS, introductions.c.thing_id == need_id)
    return sa.or_(asked, reached)


async def widening_of(session: AsyncSession, need_id: UUID) -> WideningView | None:
    """What the author was asked when nobody had answered; None once somebody has and the author said nothing yet."""
    still = sa.or_(widenings.c.widened.is_not(None), sa.not_(is_answered(widenings.c.need_id)))
    chosen = sa.select(widenings).where(widenings.c.need_id == need_id, still)
    row = (await session.execute(chosen)).mappings().one_or_none()
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
    peer, received = row["asker_peer"] or None, row["received_at"]
    return PromiseView(id=row["id"], peer=peer, quantity=row["quantity"], by=by, received_at=received)

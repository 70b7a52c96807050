"""What the author of a need makes of a match: seen, contacted, accepted, declined, and in the end whether it worked."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed, NotFound, Problem, Text
from services.matching import audience
from services.matching.domain import Reason, Status
from services.matching.queries.matches import matches_of, need_of
from services.matching.tables import OURS, proposals, things


class NotAccepted(Problem):
    """How a match worked out can be told of those that were accepted."""

    status = 409
    slug = "match-not-accepted"
    text = Text(
        fr="Dites d'abord que cette offre vous convient.",
        en="Say first that this offer suits you.",
        nl="Zeg eerst dat dit aanbod u past.",
    )


async def answer(
    session: AsyncSession,
    need_id: UUID,
    offer: tuple[str, UUID],
    *,
    actor: Actor,
    status: Status,
    reason: Reason | None,
    now: datetime,
    version: str,
) -> None:
    """Keep what was answered to a match, with the terms that made its score. `offer`: (origin, id).

    `version`: of the vectors that count. What was seen is no step back from an answer. Raises NotFound, NotAllowed.
    """
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, actor)
    found = await matches_of(session, need, now=now, farthest_km=float("inf"), version=version, only=offer)
    if not found:
        raise NotFound
    values = {"status": status, "reason": reason if status == "declined" else None, "changed_at": now}
    row = {"need_id": need_id, "origin": offer[0], "offer_id": offer[1], "told_at": now}
    statement = insert(proposals).values(**row, **values, gains=found[0].fit.gains)
    answered = proposals.c.status.in_(["proposed"]) if status == "seen" else sa.true()
    kept = statement.on_conflict_do_update(
        index_elements=["need_id", "origin", "offer_id"],
        set_=values | {"gains": statement.excluded.gains, "outcome": None},
        where=answered,
    )
    await session.execute(kept)


async def see(
    session: AsyncSession, need_id: UUID, offers: Sequence[tuple[str, UUID]], *, actor: Actor, now: datetime
) -> None:
    """Note that the need's owner was shown these offers; what was answered stays. Raises NotFound, NotAllowed.

    Of offers that the owner may not see nothing is noted.
    """
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, actor)
    chosen = sa.select(things.c.origin, things.c.id).where(
        sa.tuple_(things.c.origin, things.c.id).in_(offers),
        things.c.side == "offer",
        audience.visible_to(actor.id, now),
    )
    shown = (await session.execute(chosen)).all()
    if not shown:
        return
    seen = {"status": "seen", "changed_at": now}
    rows = [{"need_id": need_id, "origin": one.origin, "offer_id": one.id, "told_at": now} | seen for one in shown]
    kept = insert(proposals).values(rows)
    kept = kept.on_conflict_do_update(
        index_elements=["need_id", "origin", "offer_id"], set_=seen, where=proposals.c.status == "proposed"
    )
    await session.execute(kept)


async def tell_outcome(
    session: AsyncSession, need_id: UUID, offer: tuple[str, UUID], *, actor: Actor, worked: bool, now: datetime
) -> None:
    """Keep whether an accepted match worked out. Raises NotFound, NotAllowed, NotAccepted."""
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, actor)
    same = (proposals.c.need_id == need_id, proposals.c.origin == offer[0], proposals.c.offer_id == offer[1])
    accepted = sa.update(proposals).where(*same, proposals.c.status == "accepted").values(outcome=worked)
    if (await session.execute(accepted.returning(proposals.c.offer_id))).scalar() is None:
        raise NotAccepted


async def only_its_owner(session: AsyncSession, need: sa.RowMapping, actor: Actor) -> None:
    """Raises NotAllowed for whoever is neither its owner nor in its circle."""
    if need["owner_member_id"] == actor.id:
        return
    circles = (await session.execute(audience.circles_of(actor.id))).scalars().all()
    if need["owner_circle_id"] is None or need["owner_circle_id"] not in circles:
        raise NotAllowed


def key_of(origin: str | None, offer_id: UUID) -> tuple[str, UUID]:
    """The index's key of an offer; `origin` None: ours."""
    return origin or OURS, offer_id

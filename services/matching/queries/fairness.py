"""Who was asked lately, and how uses between us and each peer balance: what only breaks near-ties."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.domain import RESTING_DAYS, Uses
from services.matching.tables import OURS, proposals, resources, things, uses

_BALANCE_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """`asked`: how often owners were asked lately; `with_peers`: uses given and received, by the peer's instance id."""

    asked: Counter[UUID] = field(default_factory=Counter[UUID])
    with_peers: Mapping[str, Uses] = field(default_factory=dict[str, Uses])


async def fairness(session: AsyncSession, now: datetime) -> Fairness:
    """As it stands at `now` (UTC)."""
    return Fairness(asked=await _asked_lately(session, now), with_peers=await _with_peers(session, now))


async def _asked_lately(session: AsyncSession, now: datetime) -> Counter[UUID]:
    """By bookings that waited for a yes, and by matches that were contacted or accepted.

    An accepted match of a thing that can be booked is asked by its booking. A peer's offer stands for its owner, who is
    not known.
    """
    since = now - timedelta(days=RESTING_DAYS)
    booked = sa.select(uses.c.owner_id.label("owner")).where(uses.c.asked_at > since)
    same = sa.and_(things.c.origin == proposals.c.origin, things.c.id == proposals.c.offer_id)
    bookable = sa.exists(
        sa.select(resources.c.offer_id).where(
            resources.c.origin == proposals.c.origin, resources.c.offer_id == proposals.c.offer_id, resources.c.open
        )
    )
    answered = sa.or_(proposals.c.status == "contacted", sa.and_(proposals.c.status == "accepted", sa.not_(bookable)))
    # one by one: few were answered among very many things
    thing = sa.select(things.c.owner_member_id, things.c.id).where(same).limit(sa.literal_column("1")).lateral("thing")
    told = sa.select(sa.func.coalesce(thing.c.owner_member_id, thing.c.id).label("owner"))
    told = told.select_from(proposals.join(thing, sa.true())).where(answered, proposals.c.changed_at > since)
    both = sa.union_all(booked, told).subquery()
    rows = (await session.execute(sa.select(both.c.owner, sa.func.count()).group_by(both.c.owner))).all()
    return Counter({row[0]: row[1] for row in rows})


async def _with_peers(session: AsyncSession, now: datetime) -> dict[str, Uses]:
    given, received = (sa.func.count().filter(lent) for lent in (uses.c.lent, sa.not_(uses.c.lent)))
    chosen = sa.select(uses.c.peer, given, received).group_by(uses.c.peer)
    chosen = chosen.where(uses.c.peer != OURS, uses.c.used, uses.c.at > now - timedelta(days=_BALANCE_DAYS))
    rows = (await session.execute(chosen)).all()
    return {row[0]: Uses(given=row[1], received=row[2]) for row in rows}

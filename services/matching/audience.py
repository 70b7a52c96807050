"""Who may find a thing: the one place, as SQL conditions, for search, matches and proposals alike."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from services.matching.tables import circles, things

Condition = sa.ColumnElement[bool]
_FOR_MEMBERS = ["cooperative", "peers", "public"]
Member = UUID | sa.BindParameter[UUID]
Instant = datetime | sa.BindParameter[datetime]


def circles_of(member_id: Member) -> sa.Select[UUID]:
    """The ids of the circles that the member is in."""
    member = sa.literal(member_id, sa.Uuid) if isinstance(member_id, UUID) else member_id
    mine = circles.c.member_ids.contains(array([member]))
    return sa.select(circles.c.id).where(mine, circles.c.status == "active")


def owned_by(member_id: Member) -> Condition:
    """Things of the member, or of a circle that the member is in."""
    return sa.or_(things.c.owner_member_id == member_id, things.c.owner_circle_id.in_(circles_of(member_id)))


def closed_for(member_id: Member) -> Condition:
    """Things for circles that the member may see, and few others: as the index of them says it."""
    may_see = sa.func.array_append(things.c.circle_ids, things.c.owner_member_id)
    may_see = sa.func.array_append(may_see, things.c.owner_circle_id, type_=ARRAY(sa.Uuid))
    asking = sa.func.array_append(sa.func.array(circles_of(member_id).scalar_subquery()), member_id)
    circle = sa.literal_column("'circle'")
    return sa.and_(things.c.scope == circle, sa.not_(things.c.gone), may_see.overlap(asking))


def standing(now: Instant) -> Condition:
    """Things that are there at `now`."""
    return sa.and_(
        sa.not_(things.c.gone),
        sa.or_(things.c.valid_from.is_(None), things.c.valid_from <= now),
        sa.or_(things.c.valid_until.is_(None), things.c.valid_until > now),
    )


def visible_to(member_id: Member | None, now: Instant) -> Condition:
    """Standing things whose audience has the member in it. None: somebody without an account.

    Copies of peers' things carry the scope `peers` or `public`: all members find them.
    """
    if member_id is None:
        return sa.and_(standing(now), things.c.scope == "public")
    named = things.c.circle_ids.overlap(sa.func.array(circles_of(member_id).scalar_subquery()))
    return sa.and_(
        standing(now),
        sa.or_(
            things.c.scope == sa.any_(sa.literal(_FOR_MEMBERS, ARRAY(sa.Text))),
            sa.and_(things.c.scope == "circle", named),
            owned_by(member_id),
        ),
    )

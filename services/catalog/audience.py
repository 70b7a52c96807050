"""Who may see a listing: the one place, as SQL conditions, for lists, pages and export alike."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.catalog.tables import circles, copies, listings
from services.chassis.auth import Actor

Condition = sa.ColumnElement[bool]


def circles_of(actor: Actor) -> sa.Select[UUID]:
    """The ids of the circles that `actor` is in."""
    return sa.select(circles.c.id).where(circles.c.member_ids.contains([actor.id]), circles.c.status == "active")


def owned_by(actor: Actor) -> Condition:
    """Listings of the member, or of a circle that the member is in."""
    return sa.or_(listings.c.owner_member_id == actor.id, listings.c.owner_circle_id.in_(circles_of(actor)))


def meant_for(actor: Actor | None) -> Condition:
    """Listings whose audience has `actor` in it (None: somebody without an account), standing or not."""
    if actor is None:
        return listings.c.scope == "public"
    if actor.is_coordinator:
        return sa.true()
    named = listings.c.circle_ids.overlap(sa.func.array(circles_of(actor).scalar_subquery()))
    return sa.or_(
        listings.c.scope.in_(["cooperative", "peers", "public"]),
        sa.and_(listings.c.scope == "circle", named),
        owned_by(actor),
    )


def standing(now: datetime) -> Condition:
    """Listings that are in the catalogue at `now`; the sweeper may not have marked the others yet."""
    return sa.and_(
        listings.c.status == "published",
        sa.or_(listings.c.valid_from.is_(None), listings.c.valid_from <= now),
        sa.or_(listings.c.valid_until.is_(None), listings.c.valid_until > now),
    )


def visible_to(actor: Actor | None, now: datetime) -> Condition:
    """What `actor` finds in the catalogue: standing and meant for them. Coordinators moderate, so they see it all."""
    return sa.and_(standing(now), meant_for(actor))


def copies_meant_for(actor: Actor | None) -> Condition:
    """Copies of peers' listings: every member sees them, others only what is public."""
    return sa.true() if actor is not None else copies.c.public


def copies_visible_to(actor: Actor | None, now: datetime) -> Condition:
    """Copies that stand at `now` and that `actor` may see."""
    return sa.and_(
        sa.not_(copies.c.gone),
        sa.or_(copies.c.valid_until.is_(None), copies.c.valid_until > now),
        sa.or_(copies.c.lease_until.is_(None), copies.c.lease_until > now),
        copies_meant_for(actor),
    )
